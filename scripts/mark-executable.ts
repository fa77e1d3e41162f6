// The last step of the build: the compiler writes plain files, and a command has to be executable for `npx prefc` to run
// it from a checkout.
import { chmodSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const command = join(dirname(fileURLToPath(import.meta.url)), "..", "dist", "cli", "main.js");

chmodSync(command, 0o755);
