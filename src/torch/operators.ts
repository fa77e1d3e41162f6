// How operators are written in torch, one row each. An operator that has no row here is written as what its own row
// (core/operators) makes it of. The slope at a kink is the one that the operator's derivative takes, which docs/torch.md lists;
// where torch's own function differs, a helper is called.

import { substitute } from "../core/build.ts";
import { topological, type Binary, type Node, type Unary } from "../core/node.ts";
import { formOf } from "../core/smart.ts";
import type { BinaryOp, ReduceOp, SortOp, UnaryOp } from "../core/ops.ts";
import type { Helper } from "./helpers.ts";
import { atom, call, infix, strengths, within, type Piece } from "./piece.ts";

/** What a spelling may ask of the file that it stands in. */
export interface Writer {
  /** The piece as a real tensor. */
  readonly real: (piece: Piece) => Piece;
  /** Makes sure of a helper and gives its name. */
  readonly helper: (name: Helper) => string;
  /** Makes sure of `logsigmoid` from torch.nn.functional. */
  readonly logsigmoid: () => string;
  /** A name for the piece, which is used twice. */
  readonly named: (piece: Piece) => Piece;
  /** Makes sure of the module math and gives its name. */
  readonly math: () => string;
}
/** `guarded`: whether an infinite slope of the operand may meet a factor 0, as in a branch that is not taken. */
export type UnarySpelling = (x: Piece, writer: Writer, guarded: boolean) => Piece;
export type BinarySpelling = (a: Piece, b: Piece, writer: Writer, guarded: boolean) => Piece;

const prefixed = (symbol: string, x: Piece): Piece => ({
  text: `${symbol}${within(x, strengths.prefix)}`,
  strength: strengths.prefix,
  kind: x.kind,
});

/** torch's function, and Python's for a number. */
const real =
  (name: string, python?: string): UnarySpelling =>
  (x, writer) =>
    x.kind === "python" && python !== undefined
      ? call(`${writer.math()}.${python}`, [x], "python")
      : call(`torch.${name}`, [writer.real(x)]);

/** The same, with slope 0 at an edge where that may matter. */
const edged =
  (name: string, edge: (x: Piece) => string, always: boolean = false): UnarySpelling =>
  (x, writer, guarded) => {
    if (x.kind === "python" || !(guarded || always)) return real(name, name)(x, writer, guarded);
    const operand = writer.named(writer.real(x));
    return call(writer.helper("held"), [`torch.${name}`, operand, edge(operand)]);
  };
const at =
  (value: number) =>
  (x: Piece): string =>
    `${within(x, strengths.or)} == ${value}`;
const overflows =
  (name: string) =>
  (x: Piece): string =>
    `torch.isinf(torch.${name}(${x.text}))`;

const unary: Readonly<Partial<Record<UnaryOp, UnarySpelling>>> = {
  neg: (x) => prefixed("-", x),
  exp: edged("exp", overflows("exp")),
  log: edged("log", at(0)),
  log1p: edged("log1p", at(-1)),
  expm1: edged("expm1", overflows("expm1")),
  sigmoid: real("sigmoid"),
  logSigmoid: (x, writer) => call(writer.logsigmoid(), [writer.real(x)]),
  log1mExp: (x, writer) => call(writer.helper("log1mexp"), [writer.named(writer.real(x))]),
  tanh: real("tanh", "tanh"),
  // torch's softplus is the identity from 20 on
  softplus: (x, writer) =>
    prefixed("-", call(writer.logsigmoid(), [prefixed("-", writer.real(x))])),
  log2: edged("log2", at(0)),
  relu: real("relu"),
  abs: real("abs", "fabs"),
  sign: real("sign"),
  square: (x, writer) =>
    x.kind === "python"
      ? { text: `${within(x, strengths.atom)} ** 2`, strength: strengths.power, kind: "python" }
      : call("torch.square", [writer.real(x)]),
  sqrt: edged("sqrt", at(0), true),
  toReal: (x, writer) => writer.real(x),
  not: (x) => (x.kind === "python" ? atom(`(not ${x.text})`, "python") : prefixed("~", x)),
};

const arithmetic =
  (symbol: string, strength: number): BinarySpelling =>
  (a, b) =>
    infix(symbol, strength, a, b);
/** Counts of both sides, or a count and a number, make no real tensor of the right type. */
const ofReals =
  (symbol: string, strength: number): BinarySpelling =>
  (a, b, writer) => {
    const left = a.kind === "whole" && b.kind !== "real" ? writer.real(a) : a;
    return infix(
      symbol,
      strength,
      left,
      b.kind === "whole" && left.kind === "python" ? writer.real(b) : b,
    );
  };
const comparison =
  (symbol: string): BinarySpelling =>
  (a, b) => ({
    ...infix(symbol, strengths.comparison, a, b),
    kind: a.kind === "python" && b.kind === "python" ? "python" : "bool",
  });
const logical =
  (symbol: string, strength: number): BinarySpelling =>
  (a, b) => ({ ...infix(symbol, strength, a, b), kind: "bool" });
const ofTwo =
  (name: string): BinarySpelling =>
  (a, b, writer) =>
    call(`torch.${name}`, [writer.real(a), writer.real(b)]);

const binary: Readonly<Partial<Record<BinaryOp, BinarySpelling>>> = {
  plus: ofReals("+", strengths.sum),
  minus: ofReals("-", strengths.sum),
  times: (a, b, writer, guarded) =>
    guarded
      ? call(writer.helper("product"), [writer.named(writer.real(a)), writer.named(writer.real(b))])
      : ofReals("*", strengths.product)(a, b, writer, guarded),
  over: (a, b, writer, guarded) =>
    guarded && b.kind === "real"
      ? call(writer.helper("quotient"), [writer.named(writer.real(a)), writer.named(b)])
      : ofReals("/", strengths.product)(a, b, writer, guarded),
  pow: (a, b, writer) =>
    a.kind === "python" && b.kind === "python"
      ? arithmetic("**", strengths.power)(
          { ...a, strength: Math.min(a.strength, strengths.product) },
          b,
          writer,
          false,
        )
      : call(writer.helper("power"), [
          writer.named(writer.real(a)),
          b.kind === "whole" ? writer.real(b) : b,
        ]),
  // the slope at the bound is the whole one, as that of torch.clamp is
  clampedExp: (a, b, writer) =>
    b.kind === "python"
      ? call("torch.exp", [call("torch.clamp", [writer.real(a), `max=${b.text}`])])
      : call("torch.exp", [
          call("torch.where", [
            `${writer.named(writer.real(a)).text} > ${b.text}`,
            b,
            writer.named(a),
          ]),
        ]),
  minimum: ofTwo("minimum"),
  maximum: ofTwo("maximum"),
  gt: comparison(">"),
  ge: comparison(">="),
  lt: comparison("<"),
  le: comparison("<="),
  eq: comparison("=="),
  ne: comparison("!="),
  and: logical("&", strengths.and),
  or: logical("|", strengths.or),
};

/** The operators that have a row here. */
export const torchSpellings: Readonly<Record<string, unknown>> = { ...unary, ...binary };

const lacks = (table: Readonly<Record<string, unknown>>, node: Node): node is Unary | Binary =>
  (node.tag === "unary" || node.tag === "binary") && !Object.hasOwn(table, node.op);

/**
 * The roots with what has no row here in terms of what has one.
 * @param table the operators that are written as themselves; those that have a row unless a test says otherwise
 */
export const spelledOut = (
  roots: readonly Node[],
  table: Readonly<Record<string, unknown>> = torchSpellings,
): readonly Node[] =>
  substitute(
    roots,
    (node) => {
      const form = lacks(table, node) ? formOf(node, "single") : null;
      return form === null ? node : spelledOut([form], table)[0]!;
    },
    topological(roots),
  );

// what has no row was put in terms of others before
export const unarySpellings = unary as Readonly<Record<UnaryOp, UnarySpelling>>;
export const binarySpellings = binary as Readonly<Record<BinaryOp, BinarySpelling>>;

/** A reduction of a dense axis: torch's function, and what stands in its place where a mask is 0. */
export const reduceSpellings: Readonly<
  Record<ReduceOp, { readonly name: string; readonly absent: string }>
> = {
  sum: { name: "torch.sum", absent: "0" },
  max: { name: "torch.amax", absent: "-math.inf" },
  logSumExp: { name: "torch.logsumexp", absent: "-math.inf" },
};

/** Stable, so that ties keep the order of the batch; the rank is the order of the order. */
export const sortSpellings: Readonly<Record<SortOp, (x: string) => string>> = {
  order: (x) => `torch.argsort(${x}, stable=True)`,
  rank: (x) => `torch.argsort(torch.argsort(${x}, stable=True))`,
};
