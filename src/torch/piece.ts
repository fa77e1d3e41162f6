// A piece of Python: the text of an expression, how tightly it binds, and what it is when it runs. Numbers known to Python
// (parameters, constants) are no tensors, and counts are whole numbers; both must become real tensors before torch's functions
// take them, and `real` does that.

/** "python": a number; "real", "whole" and "bool": tensors. */
export type PieceKind = "python" | "real" | "whole" | "bool";

export interface Piece {
  readonly text: string;
  readonly strength: number;
  readonly kind: PieceKind;
}

/** Python's operators by how tightly they bind. */
export const strengths = {
  comparison: 1,
  or: 2,
  and: 3,
  sum: 4,
  product: 5,
  prefix: 6,
  power: 7,
  atom: 8,
} as const;

export const atom = (text: string, kind: PieceKind): Piece => ({
  text,
  strength: strengths.atom,
  kind,
});

/** The text as an operand of something that binds this tightly. */
export const within = ({ text, strength }: Piece, least: number): string =>
  strength < least ? `(${text})` : text;

export const call = (
  name: string,
  args: readonly (Piece | string)[],
  kind: PieceKind = "real",
): Piece =>
  atom(
    `${name}(${args.map((arg) => (typeof arg === "string" ? arg : arg.text)).join(", ")})`,
    kind,
  );

/** An infix operator, read from the left. */
export function infix(symbol: string, strength: number, a: Piece, b: Piece): Piece {
  const left = within(a, strength === strengths.comparison ? strength + 1 : strength);
  const right = within(b, strength + 1);
  const kinds = [a.kind, b.kind];
  const kind = kinds.includes("real") ? "real" : kinds.includes("whole") ? "whole" : a.kind;
  return { text: `${left} ${symbol} ${right}`, strength, kind };
}

/** A number as Python writes it; those that are infinite need the module math. */
export function number(value: number): Piece {
  const text = Object.is(value, -0) ? "-0.0" : String(value);
  return {
    text,
    strength: text.startsWith("-") ? strengths.prefix : strengths.atom,
    kind: "python",
  };
}
