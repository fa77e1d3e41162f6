// Writes docs/gallery.md and its pictures, one entry for each built-in objective. Run it after a change to an objective or to
// what the compiler makes of one: npm run gallery
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gallery } from "./gallery/page.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const { page, plots } = await gallery(root);
const pictures = `${root}docs/gallery`;

mkdirSync(pictures, { recursive: true });
for (const file of readdirSync(pictures)) {
  if (file.endsWith(".svg") && !Object.hasOwn(plots, file.slice(0, -".svg".length)))
    rmSync(`${pictures}/${file}`);
}
for (const [name, text] of Object.entries(plots)) writeFileSync(`${pictures}/${name}.svg`, text);
writeFileSync(`${root}docs/gallery.md`, page);
