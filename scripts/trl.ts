// Writes docs/trl.md from what releases of TRL computed, what as_of means and which recorded files there are. Run it after a
// change to any of them: npm run trl
import { writeFileSync } from "node:fs";
import { trlPage } from "./trl/page.ts";

writeFileSync(new URL("../docs/trl.md", import.meta.url), trlPage());
