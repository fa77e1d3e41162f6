// Writes docs/errors.md from the catalogue of errors. Run it after a change to src/core/errors: npm run errors
import { writeFileSync } from "node:fs";
import { errorsPage } from "../spec/errors/page.ts";

writeFileSync(new URL("../docs/errors.md", import.meta.url), errorsPage());
