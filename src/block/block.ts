// The block level: what a pass does with one row of logits, as data. A row is read in blocks of entries, in any order and by
// anyone; the pass says what a block adds up to, how two results of parts of a row become one, and what is left of the whole
// row. There are no lanes, no vectors and no language here: src/kernel lays a pass out for WGSL, and a printer for another
// language starts from the same data. Expressions are nodes of the core; meaning.ts names their leaves.

import type { ModelName } from "../core/inputs.ts";
import type { Node } from "../core/node.ts";
import type { ModelPower } from "../stream/fields.ts";
import type { RowField } from "../stream/stages.ts";

/** The point m that a model's entries are measured from: expressions see x = z − m, which is near 0 or far below. */
export interface Point {
  readonly model: ModelName;
  /** The largest entry, a point near it that is found while the row is read, or what an earlier pass left. */
  readonly is: "maximum" | "near" | { readonly field: RowField };
  /** How far above a point that is only near the maximum entries may lie before it is moved. */
  readonly slack: number;
}

/** How a result changes when the points are moved, by δ = m − m': as a moment of some powers, as a count at the point, or not. */
export type Shape =
  | { readonly kind: "moment"; readonly powers: readonly ModelPower[] }
  | { readonly kind: "ties"; readonly model: ModelName }
  | { readonly kind: "fixed" };

/** A result that is added up, entry by entry. */
export interface Accumulator {
  readonly name: string;
  /** What it holds when the row is read, which is also how expressions name it. */
  readonly holds: Node;
  readonly start: number;
  readonly combine: "sum" | "max";
  /** What an entry adds. */
  readonly entry: Node;
  readonly shape: Shape;
}

/** A masked entry of a model, −∞, that would have a weight where `where` holds: an error of the batch. */
export interface Weighted {
  readonly model: ModelName;
  /** Factors of which none may be 0. */
  readonly others: readonly Node[];
}

/** A value of the row that is there before the row is read. */
export interface Given {
  readonly leaf: Node;
  readonly field: RowField;
}
/** A value of the row that is left when the row is read. */
export interface Left {
  readonly field: RowField;
  /** In terms of the fields' meaning, for complaints. */
  readonly source: Node;
  /** Over the accumulators, moved to the maximum, and the label's entry. */
  readonly value: Node;
}

/** Writes a number for each entry of the row. */
export interface Write {
  readonly model: ModelName;
  readonly source: Node;
  readonly entry: Node;
  /** The label's entry, which is a value of the row. */
  readonly atLabel: RowField;
  /** Whether the given values bound every entry, so that entries need not be looked at. */
  readonly isBounded: boolean;
}

export interface BlockPass {
  readonly name: string;
  /** Models whose rows are read together. */
  readonly models: readonly ModelName[];
  readonly given: readonly Given[];
  readonly points: readonly Point[];
  /** Whether the label's entry is left out while entries are added up, and added at the end, where it does not cancel. */
  readonly isLabelApart: boolean;
  readonly accumulators: readonly Accumulator[];
  readonly weighted: readonly Weighted[];
  readonly left: readonly Left[];
  readonly write: Write | null;
  /** Parts of the expressions that have no normal form, over entries, the label and given values. */
  readonly opaque: readonly Node[];
}
