// A row program: everything between two passes over the vocabulary, as expressions over values per token, per example and
// of the whole batch, and where their results go. timing.ts says when each part is computed, steps.ts in which dispatch.

import { isList, rowsAmong } from "../core/axis.ts";
import { binary, reduce, substitute, unary } from "../core/build.ts";
import { fail } from "../core/error.ts";
import { isPairLoop, withoutOthers } from "./pairs.ts";
import { topological, type At, type Node, type Reduce, type Sort } from "../core/node.ts";

/** A value per completion token of one response, which goes into a field of the row. */
export interface TokenOutput {
  readonly node: Node;
  readonly response: string;
  readonly field: number;
}
/** A value per example or a single value, which goes into a slot. */
export interface SlotOutput {
  readonly node: Node;
  readonly slot: number;
}
export interface RowProgram {
  readonly tokenOutputs: readonly TokenOutput[];
  readonly exampleOutputs: readonly SlotOutput[];
  readonly scalarOutputs: readonly SlotOutput[];
  readonly rowField: (input: Node) => number;
  readonly exampleSlot: (input: Node) => number;
  readonly paramSlot: (param: Node) => number;
  /**
   * In the order in which their tokens are stacked: responses of which an example has one, the responses of lists, which are
   * rows as tokens are, and the tokens of lists.
   */
  readonly responses: readonly string[];
  /** How many vec4 hold the parameters. */
  readonly paramVectors: number;
  /** First free slots for what is kept between steps. */
  readonly firstExampleSlot: number;
  readonly firstScalarSlot: number;
}

/** How many of the responses have rows of examples; the others are the tokens of lists, rows of the responses of these. */
export const singlesOf = ({ responses }: Pick<RowProgram, "responses">): number =>
  responses.filter((response) => !isList(response)).length;
/** Whether the lists have rows at all. */
export const hasLists = ({ responses }: Pick<RowProgram, "responses">): boolean =>
  responses.some(isList);

/** What a value is one of: in the whole batch, per example, or per row, which is a token or a response of a list. */
export type Space = "scalar" | "example" | "token";
export const spaceOf = (node: Node): Space =>
  rowsAmong(node.axes) !== null ? "token" : node.axes.includes("batch") ? "example" : "scalar";

export const isLeaf = (node: Node): boolean =>
  node.tag === "const" ||
  node.tag === "param" ||
  node.tag === "input" ||
  node.tag === "iota" ||
  node.tag === "count";

/** Whether a value is made of the values of other examples or tokens, by a step of its own. */
export const isCollective = (node: Node): node is Reduce | Sort =>
  (node.tag === "reduce" && !isPairLoop(node)) || node.tag === "sort";

/** Whether a node is a value of another example, which only memory makes possible. */
export const isLookup = (node: Node): node is At =>
  node.tag === "at" && node.axis === "batch" && node.args[0].axes.includes("batch");

/** The index space that a reduction or a sort goes along. */
export function alongOf(node: Reduce | Sort): "token" | "example" {
  if (node.tag === "reduce" && (node.op === "logSumExp" || node.axis === "vocab")) {
    return fail(
      "kernel-axis",
      `A row program cannot compute ${node.op} along ${node.axis}; this is a bug of prefc, so please report it with the objective.`,
    );
  }
  return node.axis === "batch" ? "example" : "token";
}

/**
 * The sign of a product with a value per example goes to that value: what the tokens of the one response take away and those of
 * the other add is then alike, and computed once for both.
 */
function withSignsPerExample(roots: readonly Node[]): readonly Node[] {
  const isOwn = (node: Node): boolean => spaceOf(node) === "token";
  return substitute(
    roots,
    (node) => {
      if (node.tag !== "unary" || node.op !== "neg") return node;
      const [product] = node.args;
      if (product.tag !== "binary" || product.op !== "times" || !isOwn(product)) return node;
      const [a, b] = product.args;
      if (isOwn(a) === isOwn(b)) return node;
      const negative = unary("neg", isOwn(a) ? b : a);
      return isOwn(a) ? binary("times", a, negative) : binary("times", negative, b);
    },
    topological(roots),
  );
}

/**
 * Terms as the steps of a row program can be: logSumExp is a maximum and a sum, signs are where they are shared, and pairs of
 * responses are loops.
 */
export function prepared(roots: readonly Node[]): readonly Node[] {
  return withoutOthers(withSignsPerExample(withoutLogSumExp(roots)));
}

/** logSumExp along tokens or examples as a maximum and a sum, two steps. */
function withoutLogSumExp(roots: readonly Node[]): readonly Node[] {
  return substitute(
    roots,
    (node) => {
      if (node.tag !== "reduce" || node.op !== "logSumExp") return node;
      const largest = reduce("max", node.axis, node.args[0]);
      const shifted = unary("exp", binary("minus", node.args[0], largest));
      return binary("plus", largest, unary("log", reduce("sum", node.axis, shifted)));
    },
    topological(roots),
  );
}
