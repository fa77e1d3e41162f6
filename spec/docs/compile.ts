// Compiles the code of the documentation against the package, all documents in one run of the compiler. The modules are
// written to a folder of their own inside the repository, because types of dependencies are looked up from there.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Mistake, Module } from "./blocks.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** A message of the compiler and where it belongs. */
export interface Message {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/** A folder with the modules of the documentation, to compile and to run. */
export interface Workshop {
  readonly folder: string;
  /** The path of a module in it. */
  readonly pathOf: (module: Module) => string;
  /** Writes one more module, to run, and returns its path. */
  readonly add: (module: Module) => string;
  readonly remove: () => void;
}

const folderName = (document: string): string => document.replaceAll(/[^a-z0-9]+/gi, "-");

/** Writes modules and mistakes; `prefc` in their imports stands for the sources of this checkout. */
export function workshop(modules: readonly Module[], mistakes: readonly Mistake[]): Workshop {
  const cache = join(root, "node_modules", ".cache");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "prefc-docs-"));
  const entry = pathToFileURL(join(root, "src", "index.ts")).href;
  const runnable = (text: string): string => text.replaceAll(/from "prefc"/g, `from "${entry}"`);
  const pathOf = ({ document, name }: Module): string =>
    join(folder, "run", folderName(document), name);
  const write = (path: string, text: string): void => {
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, text);
  };
  const add = (module: Module): string => {
    write(pathOf(module), runnable(module.text));
    return pathOf(module);
  };
  for (const module of modules) {
    write(join(folder, "types", folderName(module.document), module.name), module.text);
    add(module);
  }
  mistakes.forEach(({ module, wrong }, index) => {
    write(
      join(folder, "types", folderName(module.document), `mistake-${index}.ts`),
      module.text + wrong,
    );
  });
  write(join(folder, "package.json"), '{ "type": "module" }');
  write(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: join(root, "tsconfig.json"),
      compilerOptions: {
        paths: { prefc: [join(root, "src", "index.ts")] },
        // what a user's own configuration is likely to be: strict, without this repository's rules for exports
        isolatedDeclarations: false,
        declaration: false,
      },
      include: ["types/**/*.ts"],
      exclude: [],
    }),
  );
  return { folder, pathOf, add, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

interface Ended {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

const run = (args: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: root }, (error, output, errors) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), output, errors });
    });
  });

/** Everything that the compiler says about the folder. */
export async function messagesOf({ folder }: Workshop): Promise<readonly Message[]> {
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  const { code, output, errors } = await run([
    compiler,
    "-p",
    folder,
    "--noEmit",
    "--pretty",
    "false",
  ]);
  // a message without a place is about the configuration, and then nothing was checked
  if ((code !== 0 && output === "") || /^error /m.test(output)) throw new Error(output + errors);
  return [...output.matchAll(/^(\S+)\((\d+),\d+\): error TS\d+: (.*)$/gm)].map(
    ([, file, line, text]) => ({
      file: file!.replace(/^.*\/types\//, ""),
      line: Number(line),
      text: text!,
    }),
  );
}

/** Runs a module in a process of its own (see run.ts): its exit code and what it printed. */
export const program = (path: string): Promise<Ended> => inProcess("run.ts", path);

/** What `prefc explain` says about the objective that a module exports. */
export async function explained(path: string): Promise<string> {
  const { code, output, errors } = await inProcess("explain.ts", path);
  if (code !== 0) throw new Error(errors);
  return output;
}

const inProcess = (script: string, path: string): Promise<Ended> =>
  run(["--import", "tsx", join(root, "spec", "docs", script), path]);
