// Writes docs/language.md from the rows of the operators, the comments of the source and the examples, which it runs. Run it
// after a change to any of them: npm run language
import { writeFileSync } from "node:fs";
import { languagePage } from "./language/page.ts";

writeFileSync(new URL("../docs/language.md", import.meta.url), languagePage());
