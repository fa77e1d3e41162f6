// What loops over a row share: the names of a model's row, the loop itself, how entries are loaded, and their distances from the
// point that they are measured from.

import * as meaning from "../block/meaning.ts";
import { count, iota } from "../core/build.ts";
import type { ModelName } from "../core/inputs.ts";
import { topological, type Node } from "../core/node.ts";
import { entryOf, labelInput } from "../stream/skeleton.ts";
import { atom, strengths, within, type Piece } from "../torch/piece.ts";
import type { Scope } from "./expression.ts";

/** The ending of names that belong to a model. */
export const ending = (model: ModelName): string => (model === "policy" ? "" : `_${model}`);
export const minusInfinity = 'float("-inf")';
/** The distance of a masked entry: its exponential is 0, and 0 times it is 0. */
const farthest = "-1e30";
/** Triton's exp takes numbers below 2^-126 apart, which costs as much as the rest of it; its exp2 makes 0 of them. */
const log2OfE = "1.4426950408889634";

export const real = (text: string): Piece => atom(text, "real");
const indented = (lines: readonly string[]): readonly string[] =>
  lines.map((line) => `    ${line}`);
export const uses = (roots: readonly Node[], node: Node): boolean =>
  topological(roots).includes(node);

/**
 * What is added up over a row is in single floats, and what is worked out of it for the row in double ones: there the digits of
 * differences of large numbers are at stake, and one number for a row costs nothing.
 */
export const widened = (text: string): string => `${text}.to(tl.float64)`;
export const narrowed = (piece: Piece): string =>
  piece.kind === "python" ? piece.text : `${within(piece, strengths.atom)}.to(tl.float32)`;

/** The names of a model's row inside its pass. */
export interface Own {
  readonly model: ModelName;
  readonly row: string;
  readonly z: string;
  readonly x: string;
  readonly e: string;
  readonly m: string;
}
export const ownOf = (model: ModelName): Own => {
  const end = ending(model);
  return { model, row: `row${end}`, z: `z${end}`, x: `x${end}`, e: `e${end}`, m: `m${end}` };
};

/** Entries of a block as rows of a group each, and a number for each group. */
export const grouped = (text: string): string => `tl.reshape(${text}, [BLOCK // GROUP, GROUP])`;
export const noGroup = "tl.zeros([BLOCK // GROUP], tl.float32)";

/** A loop over the row in blocks: `inside` are the entries that the row has, whether the label's is apart or not. */
export const overRow = (body: readonly string[]): readonly string[] => [
  "for start in range(0, vocab, BLOCK):",
  "    v = start + tl.arange(0, BLOCK)",
  "    inside = v < vocab",
  ...indented(body),
];

/** Loads the entries of a block, widened to 32 bits before anything else is done to them. */
export const load = ({ row, z }: Own, beyond: string = "0.0"): string =>
  `${z} = tl.load(${row} + v, inside, other=${beyond}).to(tl.float32)`;

/** What is done only where a block holds the label: the test is the same for all entries, so that other blocks skip it. */
export const atLabel = (lines: readonly string[]): readonly string[] => [
  "if (start <= y) & (y < start + BLOCK):",
  ...indented(lines),
];

/** The distances from the points and their exponentials, as far as an expression needs them. */
export function distances(
  owns: readonly Own[],
  roots: readonly Node[],
  scope: Scope,
  around: (m: string) => string = (m) => m,
): void {
  for (const { model, z, x, e, m } of owns) {
    const [centred, exponential] = [meaning.centred(model), meaning.exponential(model)];
    const needsE = uses(roots, exponential);
    if (!needsE && !uses(roots, centred)) continue;
    const difference = `${z} - ${around(m)}`;
    // e^x of a masked entry is 0 as it is; x itself is bounded, since 0 times it has to be 0
    const isAlone = topological(roots).some((node) =>
      node === centred ? roots.includes(node) : node !== exponential && node.args.includes(centred),
    );
    scope.lines.push(
      isAlone
        ? `${x} = tl.maximum(${difference}, ${farthest}, propagate_nan=tl.PropagateNan.ALL)`
        : `${x} = ${difference}`,
    );
    scope.known.set(centred, real(x));
    if (!needsE) continue;
    scope.lines.push(`${e} = tl.exp2(${x} * ${log2OfE})`);
    scope.known.set(exponential, real(e));
  }
}

/** What parts of expressions outside the normal form may read: logits themselves, the label, the place in the row. */
export function entries(owns: readonly Own[], roots: readonly Node[], scope: Scope): void {
  for (const { model, z } of owns) {
    if (!uses(roots, entryOf(model))) continue;
    const name = scope.names.fresh(`${z}_held`);
    scope.lines.push(`${name} = tl.where(${z} == ${minusInfinity}, ${farthest}, ${z})`);
    scope.known.set(entryOf(model), real(name));
  }
  scope.known.set(labelInput, atom("y", "whole"));
  scope.known.set(iota("vocab"), atom("v", "whole"));
}

/** The number of entries as a real number. */
export const vocabulary = (scope: Scope): void => {
  scope.known.set(count("vocab"), real("(tl.zeros([], tl.float32) + vocab)"));
};
