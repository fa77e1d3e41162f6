// The OBJECTIVE of a command line: the name of a built-in, or the path of a user's module and, if it exports
// several objectives, `path#name`. Everything that can be wrong with a module is told in one sentence.

import { existsSync, statSync } from "node:fs";
import { extname, resolve } from "node:path";
import { types } from "node:util";
import { PrefcError } from "../core/error.ts";
import { didYouMean, listNames } from "../core/names.ts";
import { wrapped } from "../explain/units.ts";
import { builtIn, builtIns, isObjective, type Objective, type Options } from "../index.ts";
import { blame, explained, inTime, secondsAllowed } from "./blame.ts";
import { loadModule, prepareLoading } from "./load.ts";
import { cite, mention } from "../core/quote.ts";

const extensions = [".ts", ".mts", ".js", ".mjs"];

/** What OBJECTIVE may be, for help texts. */
export const objectiveHelp =
  "a built-in objective, or the path of a .ts or .js module that exports one (path#name if it exports several)";

/** The names of the built-in objectives, in lines of a help text. */
export const builtInNames = (): readonly string[] => wrapped(Object.keys(builtIns), 90);

/** The objective that a text names. @throws PrefcError with a sentence for each way in which it cannot be had */
export async function loadObjective(text: string, options: Options = {}): Promise<Objective> {
  if (Object.hasOwn(builtIns, text)) return builtIn(text, options);
  const { path, name } = taken(text);
  const looksLikePath =
    /[\\/]/.test(path) || extensions.includes(extname(path)) || existsSync(path);
  if (!looksLikePath) {
    const several = text.split(",").every((one) => Object.hasOwn(builtIns, one));
    const advice = several
      ? " Where several are taken, spaces stand between them."
      : didYouMean(text, Object.keys(builtIns));
    throw new PrefcError(
      "unknown-objective",
      `There is no built-in objective ${cite(text)} (prefc explain --help lists them) and no file of that name.${advice}`,
    );
  }
  if (Object.keys(options).length > 0) {
    throw new PrefcError(
      "options-for-module",
      `--option is for built-in objectives, but ${cite(path)} is a module; set its options in its code, and parameters with --param.`,
    );
  }
  return chosen(path, name, await exportsOf(path));
}

/** A path and, after the last #, the name of an export; a file whose own name has a # is taken whole. */
function taken(text: string): { readonly path: string; readonly name: string | undefined } {
  const mark = text.lastIndexOf("#");
  if (mark < 0 || existsSync(text)) return { path: text, name: undefined };
  return { path: text.slice(0, mark), name: text.slice(mark + 1) };
}

async function exportsOf(path: string): Promise<Readonly<Record<string, unknown>>> {
  const file = resolve(path);
  if (!existsSync(file)) {
    throw new PrefcError(
      "module-missing",
      `There is no file ${cite(path)}${file === path ? "" : ` (looked for ${mention(file)})`}; correct the path.`,
    );
  }
  if (!statSync(file).isFile() || !extensions.includes(extname(file))) {
    throw new PrefcError(
      "not-a-module",
      `${cite(path)} is ${statSync(file).isFile() ? "no ES module" : "a folder"}; give a file that ends in ${extensions.join(", ")}.`,
    );
  }
  try {
    await prepareLoading();
    blame(path, file);
    return await inTime(path, () => loadModule(file), secondsAllowed());
  } catch (error) {
    throw explained(path, file, error);
  }
}

/** The default export, the named one, or the only objective among all. */
function chosen(
  path: string,
  name: string | undefined,
  found: Readonly<Record<string, unknown>>,
): Objective {
  if (name !== undefined) {
    const names = Object.keys(found);
    if (!Object.hasOwn(found, name)) {
      throw new PrefcError(
        "export-missing",
        `${mention(path)} has no export ${cite(name)}; it exports ${listNames(names)}.${didYouMean(name, names)}`,
      );
    }
    return objectiveOf(path, name, found[name]);
  }
  if (found["default"] !== undefined) return objectiveOf(path, "default", found["default"]);
  const candidates = Object.keys(found).filter(
    (key) => isObjective(found[key]) || isForeign(found[key]),
  );
  const [only, ...others] = candidates;
  if (only === undefined) {
    const functions = Object.keys(found).filter((key) => typeof found[key] === "function");
    const hint =
      functions.length === 0
        ? ""
        : ` (${listNames(functions)} ${functions.length === 1 ? "is a function" : "are functions"}: export what a call returns)`;
    throw new PrefcError(
      "no-objective",
      `${mention(path)} exports ${Object.keys(found).length === 0 ? "nothing" : `${listNames(Object.keys(found))}, but no objective`}${hint}; write export default objective(…).`,
    );
  }
  if (others.length > 0) {
    throw new PrefcError(
      "several-objectives",
      `${mention(path)} exports several objectives (${listNames(candidates)}) and no default; choose one as ${mention(`${path}#${only}`)}.`,
    );
  }
  return objectiveOf(path, only, found[only]);
}

function objectiveOf(path: string, name: string, value: unknown): Objective {
  if (isObjective(value)) return value;
  const what = name === "default" ? "the default export" : `the export ${cite(name)}`;
  if (isForeign(value)) {
    throw new PrefcError(
      "foreign-objective",
      `${mention(path)}: ${what} was made by another copy of prefc than the one that runs; write import { … } from "prefc", which always means this copy.`,
    );
  }
  const hint =
    typeof value === "function"
      ? "a function; export what a call returns"
      : types.isPromise(value)
        ? "a promise; await it before it is exported"
        : "no objective; export what objective(…) returns";
  throw new PrefcError("no-objective", `${mention(path)}: ${what} is ${hint}.`);
}

/** Whether a value has the shape of an objective without being one of this copy of the package. */
function isForeign(value: unknown): boolean {
  if (typeof value !== "object" || value === null || isObjective(value)) return false;
  try {
    const { name, responses, loss } = value as Partial<Objective>;
    return (
      typeof name === "string" &&
      Array.isArray(responses) &&
      typeof loss === "object" &&
      loss !== null &&
      "tag" in loss &&
      "axes" in loss
    );
  } catch {
    // what throws when it is looked at is no objective
    return false;
  }
}
