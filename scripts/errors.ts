// Writes docs/errors.md from the catalogue of errors and from the sentences of errors that it provokes. Run it after a change to
// src/core/errors or to a sentence: npm run errors
import { writeFileSync } from "node:fs";
import { errorsPage } from "../spec/errors/page.ts";
import { provokeAll } from "../spec/errors/provoke/index.ts";

writeFileSync(new URL("../docs/errors.md", import.meta.url), errorsPage(await provokeAll()));
// Dawn would keep the process running
process.exit(0);
