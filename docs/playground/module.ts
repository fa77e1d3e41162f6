// Runs a visitor's module: types are erased, imports of "prefc" are given this copy of it, and whatever goes wrong becomes one
// sentence with the line that it comes from.

import { transform } from "sucrase";
import { PrefcError } from "../../src/core/error.ts";
import { cite, visible } from "../../src/core/quote.ts";
import * as prefc from "../../src/index.ts";

/** What a module did wrong, in one sentence, and where. */
export interface Wrong {
  readonly sentence: string;
  /** Counted from 1; 0 where it is not known. */
  readonly line: number;
  /** The same; where only the line is known, all of it is meant. */
  readonly column: number;
}

/** A mistake of the module itself, which is told as it is. */
class ModuleError extends Error {}

const file = "objective.ts";
/** The module becomes the body of a function, so that what it declares stays its own. */
const opening = "(function (require, exports) { ";

/** The objective that a module exports. @throws whatever the module throws, and ModuleError */
export function objectiveOf(code: string): prefc.Objective {
  const { code: erased } = transform(code, {
    transforms: ["typescript", "imports"],
    filePath: file,
    production: true,
  });
  const exports: Record<string, unknown> = {};
  const require = (name: string): unknown => {
    if (name === "prefc") return prefc;
    throw new ModuleError(
      `The module imports ${cite(name)}, but here only "prefc" can be imported; write the rest into the module.`,
    );
  };
  // oxlint-disable-next-line eslint/no-eval -- running what a visitor wrote is what the sandbox is for
  const run = (0, eval)(`${opening}${erased}\n})\n//# sourceURL=${file}`) as (
    ...given: readonly unknown[]
  ) => void;
  run(require, exports);
  const found = Object.values(exports).filter((value) => prefc.isObjective(value));
  const chosen = prefc.isObjective(exports["default"]) ? exports["default"] : found[0];
  if (chosen !== undefined) return chosen;
  throw new ModuleError(
    "The module exports no objective; write export default objective(…) and what it computes.",
  );
}

/** The line of the module in a stack, if it has one. Erasing types keeps lines and moves columns. */
function placeIn(stack: string): Pick<Wrong, "line" | "column"> {
  const [, line] = /objective\.ts:(\d+):\d+/.exec(stack) ?? [];
  return { line: Number(line ?? 0), column: 0 };
}

/** One sentence for whatever was thrown, even for something that throws when it is looked at. */
export function wrongOf(error: unknown): Wrong {
  try {
    if (!(error instanceof Error)) {
      return {
        sentence: `The module threw ${cite(error)}, which is no error; throw an Error that says what is wrong.`,
        line: 0,
        column: 0,
      };
    }
    const { message: said, stack: trace }: { message: unknown; stack?: unknown } = error;
    const [whole, stack] = [String(said), String(trace)];
    const message = visible(whole.slice(0, 2000));
    const parse = /^Error transforming objective\.ts: (.*?) \((\d+):(\d+)\)$/s.exec(whole);
    if (parse !== null) {
      const [, what = "", line, column] = parse;
      return {
        sentence: `The module does not parse at line ${line}, column ${column}: ${visible(what)}.`,
        line: Number(line),
        column: Number(column),
      };
    }
    const place = placeIn(stack);
    if (error instanceof PrefcError || error instanceof ModuleError) {
      return { sentence: message, ...place };
    }
    const where = place.line === 0 ? "" : ` at line ${place.line}`;
    const what = message === "" ? "an error without a message" : message.replace(/\.$/, "");
    return { sentence: `The module failed${where}: ${what}.`, ...place };
  } catch {
    return { sentence: "The module threw something that cannot be shown.", line: 0, column: 0 };
  }
}
