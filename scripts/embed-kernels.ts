// Turns the WGSL functions written by hand in kernels/prelude into one TypeScript module, so that the compiler can print
// them into its shaders without reading files: the same build then runs in a browser. Each function is an entry, with the
// functions that it calls. The order is that of the files' names, so equal sources give an equal file.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
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

/** Each function of a file by name, with the comment before it. */
const functionsIn = (file: string): readonly (readonly [name: string, source: string])[] => {
  const text = readFileSync(join(folder, file), "utf8").replaceAll("\r\n", "\n");
  return [...text.matchAll(/(?:^\/\/.*\n)*^fn (\w+)\([^]*?^\}\n/gm)].map(
    ([source, name]) => [name!, source] as const,
  );
};

const functions = namesIn(folder).toSorted().flatMap(functionsIn);
const names = functions.map(([name]) => name);
const entries = functions.map(([own, source]) => {
  const called = new Set([...source.matchAll(/(\w+)\(/g)].map(([, name]) => name!));
  const calls = names.filter((name) => name !== own && called.has(name));
  return `  ${own}: { calls: ${JSON.stringify(calls)}, source: ${JSON.stringify(source)} },\n`;
});

const module =
  "// Written by scripts/embed-kernels.ts from kernels/prelude/*.wgsl, so that the compiler reads no file at run time; edit\n" +
  "// those files and run `npm run embed`.\n" +
  "export interface PreludeFunction {\n  readonly calls: readonly string[];\n  readonly source: string;\n}\n" +
  `export const functions: Readonly<Record<string, PreludeFunction>> = {${entries.length === 0 ? "" : "\n"}${entries.join("")}};\n`;

mkdirSync(dirname(target), { recursive: true });
writeFileSync(target, module);
