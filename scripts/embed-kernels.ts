// Turns the WGSL functions written by hand in kernels/prelude into one TypeScript module, so that the compiler can print
// them into its shaders without reading files: the same build then runs in a browser. The order is that of the names, so
// equal sources give an equal file.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const folder = join(root, "kernels", "prelude");
const target = join(root, "src", "wgsl", "prelude.generated.ts");

const namesIn = (path: string): readonly string[] => {
  try {
    return readdirSync(path).filter((name) => name.endsWith(".wgsl"));
  } catch (error) {
    // A fresh clone has no such folder while it holds no file: git keeps none that is empty.
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
};

const entries = namesIn(folder)
  .toSorted()
  .map((name) => {
    const text = readFileSync(join(folder, name), "utf8").replaceAll("\r\n", "\n");
    return `  ${JSON.stringify(basename(name, ".wgsl"))}: ${JSON.stringify(text)},\n`;
  });

const module =
  "// Written by scripts/embed-kernels.ts from kernels/prelude/*.wgsl, so that the compiler reads no file at run time; edit\n" +
  "// those files and run `npm run embed`.\n" +
  `export const prelude: Readonly<Record<string, string>> = {${entries.length === 0 ? "" : "\n"}${entries.join("")}};\n`;

mkdirSync(dirname(target), { recursive: true });
writeFileSync(target, module);
