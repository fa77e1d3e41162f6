// Draws the diagrams of the documents. Run it when the architecture, the plan of WPO or the reading of batches changes:
// `npm run diagrams`. A test fails when a picture is stale.
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { curvesPicture } from "./diagrams/curves.ts";
import { levelsPicture } from "./diagrams/levels.ts";
import { rowsPicture } from "./diagrams/rows.ts";
import { wpoPicture } from "./diagrams/wpo.ts";

/** Every diagram, by the name of its file in docs/pictures. */
export const diagrams: Readonly<Record<string, () => string>> = {
  "levels.svg": levelsPicture,
  "wpo.svg": wpoPicture,
  "rows.svg": rowsPicture,
  "curves.svg": curvesPicture,
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const folder = fileURLToPath(new URL("../docs/pictures/", import.meta.url));
  mkdirSync(folder, { recursive: true });
  for (const [name, draw] of Object.entries(diagrams)) writeFileSync(folder + name, draw());
}
