// Writes what the compiler prints today into the documents, after their markers. Run it after a change to any level of the
// compiler: npx tsx scripts/refresh-docs.ts
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { marked, refreshed } from "../spec/docs/refresh.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

for (const document of marked) writeFileSync(root + document, await refreshed(document));
