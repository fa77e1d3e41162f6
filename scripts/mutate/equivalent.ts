// Mutants that no test can notice, because they mean the same, each with the reason. They are left out of the score.
import type { Mutant } from "./mutants.ts";

interface Equivalent {
  readonly file: string;
  /** A part of the line as it is. */
  readonly line: string;
  /** What was replaced, and by what; any when absent. */
  readonly original?: string;
  readonly text?: string;
  readonly reason: string;
}

const filter = "mayMatch only saves time: what it lets through by mistake is refused by solve";
const defensive =
  "no exponential that falls in a logit reaches a moment: vocabulary.ts leaves it whole";

export const equivalent: readonly Equivalent[] = [
  {
    file: "src/rewrite/engine.ts",
    line: 'if (pattern.tag === "const") return',
    original: 'pattern.tag === "const"',
    text: "false",
    reason: filter,
  },
  {
    file: "src/rewrite/engine.ts",
    line: 'return node.tag === "binary" && isCommutative(node.op) && fits(',
    original: 'node.tag === "binary" && isCommutative(node.op)',
    text: 'node.tag === "binary"',
    reason: filter,
  },
  {
    file: "src/ad/gradient.ts",
    line: "if (real && node.args.some",
    original: "real && node.args.some((arg) => reached.has(arg))",
    text: "node.args.some((arg) => reached.has(arg))",
    reason: "what is stopped or no real number passes nothing on, reached or not",
  },
  {
    file: "src/stream/reduce.ts",
    line: "powers.some(([, { d }]) => d < 0) ||",
    original: "some",
    reason: defensive,
  },
  {
    file: "src/stream/reduce.ts",
    line: "powers.some(([, { d }]) => d < 0) ||",
    text: "powers.every(([, { d }]) => d === 0)",
    reason: defensive,
  },
  {
    file: "src/kernel/moment.ts",
    line: "return [k.exp(power.d === 1 ? delta",
    original: "power.d === 1",
    text: "false",
    reason: "1 · δ is δ",
  },
];

/** Why a mutant means the same; undefined when it does not. */
export function reasonOf(mutant: Mutant, source: string): string | undefined {
  const line = source.split("\n")[mutant.line - 1]!;
  return equivalent.find(
    (one) =>
      one.file === mutant.file &&
      line.includes(one.line) &&
      (one.original ?? mutant.original) === mutant.original &&
      (one.text ?? mutant.text) === mutant.text,
  )?.reason;
}
