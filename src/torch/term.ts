// Writes one node as Python, given its arguments: operators by their table, reductions of examples and tokens with the mask in
// their place, and indices as comparisons. Rows are those of all responses where the node is stacked, else those of one.

import { isTokenAxis, responseOf, type Axis } from "../core/axis.ts";
import { fail } from "../core/error.ts";
import { printExpression } from "../core/infix.ts";
import type { At, Node, Reduce } from "../core/node.ts";
import type { FormulaOptions } from "./formula.ts";
import type { Guards } from "./guards.ts";
import {
  binarySpellings,
  reduceSpellings,
  sortSpellings,
  unarySpellings,
  type Writer,
} from "./operators.ts";
import { clampOf, type Contraction } from "./patterns.ts";
import { atom, call, infix, number, strengths, within, type Piece } from "./piece.ts";
import { familyOf, type Family } from "./stack.ts";

export interface TermOptions {
  readonly options: FormulaOptions;
  readonly guards: Guards;
  readonly writer: Writer;
  /** What was written of a node, as all rows or as those of its response. */
  readonly pieceOf: (node: Node, whole: boolean) => Piece;
  readonly contraction: (node: Node) => Contraction | undefined;
  readonly maskOf: (response: string, family: Family, whole: boolean) => string;
}

const hasTokens = (node: Node): boolean => node.axes.some(isTokenAxis);

/** Refuses what reads beyond the row or the example at hand. */
const beyond = (node: Node): never =>
  fail(
    "emit-beyond-a-row",
    `emit: ${printExpression(node, 16)} cannot be emitted, because it looks tokens or vocabulary entries up across rows; reduce them with a condition instead.`,
  );

/** Writes a node whose arguments were written; `whole` says that it is stacked. */
export function termWriter(given: TermOptions): (node: Node, whole: boolean) => Piece {
  const { options, guards, writer, pieceOf, contraction } = given;
  const { responses, rows } = options;
  const mask = (axis: Axis, node: Node, whole: boolean): string => {
    if (!isTokenAxis(axis) || options.mask === null) return beyond(node);
    const response = responseOf(axis);
    return given.maskOf(response, familyOf(response), whole);
  };

  const extent = (axis: Axis, node: Node, whole: boolean): Piece => {
    if (axis !== "batch") return call("torch.sum", [mask(axis, node, whole), "1"], "whole");
    const all = atom(`torch.numel(${rows})`, "python");
    return responses.length < 2 || options.perExample
      ? all
      : infix("//", strengths.product, all, number(responses.length));
  };
  /** One for each example. */
  const placeOfExamples = (): string => {
    const many = options.perExample ? 1 : responses.length;
    return `torch.ones_like(${many < 2 ? rows : `torch.chunk(${rows}, ${many})[0]`})`;
  };
  const place = (axis: Axis, node: Node, whole: boolean): Piece => {
    const ones = axis === "batch" ? placeOfExamples() : mask(axis, node, whole);
    const counted = call("torch.cumsum", [ones, axis === "batch" ? "0" : "1"], "whole");
    return infix("-", strengths.sum, counted, number(1));
  };

  /** A reduction of what is the same all along the axis. */
  const repeated = (node: Reduce, x: Piece, whole: boolean): Piece => {
    if (node.op === "max") return x;
    const times = extent(node.axis, node, whole);
    if (node.op === "sum") return binarySpellings.times(x, times, writer, false);
    const log = unarySpellings.log(times, writer, false);
    return binarySpellings.plus(writer.real(x), log, writer, false);
  };
  const reduction = (node: Reduce, whole: boolean): Piece => {
    const [body] = node.args;
    const { name, absent } = reduceSpellings[node.op];
    const x = pieceOf(body, whole);
    if (!body.axes.includes(node.axis)) return repeated(node, x, whole);
    const own = node.op === "sum" && x.kind === "whole" ? x : writer.real(x);
    if (node.axis === "batch") return call(name, node.op === "sum" ? [own] : [own, "0"], own.kind);
    const where = mask(node.axis, node, whole);
    if (absent.includes("math")) writer.math();
    return call(name, [call("torch.where", [where, own, absent]), "1"], own.kind);
  };

  const lookup = (node: At, whole: boolean): Piece => {
    const [body, index] = node.args;
    const [x, i] = [pieceOf(body, whole), pieceOf(index, whole)];
    if (!body.axes.includes(node.axis)) return x;
    if (node.axis === "batch") return atom(`${within(x, strengths.atom)}[${i.text}]`, x.kind);
    if (hasTokens(index) || body.dtype !== "f32") return beyond(node);
    const tokens = mask(node.axis, node, whole);
    const wanted = index.axes.includes("batch") ? `${within(i, strengths.atom)}[:, None]` : i.text;
    const here = `${tokens} & (torch.cumsum(${tokens}, 1) - 1 == ${wanted})`;
    return call("torch.sum", [call("torch.where", [here, writer.real(x), "0"]), "1"]);
  };

  const choice = (args: readonly Piece[]): Piece => {
    const [condition, then, otherwise] = args as readonly [Piece, Piece, Piece];
    const some = then.kind === "real" || otherwise.kind === "real";
    const sides = [some ? then : writer.real(then), otherwise].map((side) =>
      side.kind === "whole" || side.kind === "bool" ? writer.real(side) : side,
    );
    if (condition.kind !== "python") return call("torch.where", [condition, ...sides]);
    // a condition on parameters alone
    const flag = {
      ...infix(">", strengths.comparison, writer.real(condition), number(0)),
      kind: "bool",
    } as const;
    return call("torch.where", [flag, ...sides]);
  };

  return (node, whole) => {
    const one = contraction(node);
    if (one !== undefined) {
      const where =
        one.tokens === null ? null : given.maskOf(one.tokens, familyOf(one.tokens), one.whole);
      if (one.term === null) return call(one.name, [where!], "whole");
      const x = pieceOf(one.term, one.whole);
      const own = x.kind === "whole" && one.name === "torch.sum" ? x : writer.real(x);
      const term = where === null ? own : call("torch.where", [where, own, "0"]);
      return call(one.name, [term], own.kind);
    }
    /** An argument, spread over the tokens where the node itself is. */
    const operand = (arg: Node): Piece => {
      const piece = pieceOf(arg, whole);
      const wide = hasTokens(node) && !hasTokens(arg) && arg.axes.includes("batch");
      return wide ? atom(`${within(piece, strengths.atom)}[:, None]`, piece.kind) : piece;
    };
    const args = node.tag === "reduce" || node.tag === "at" ? [] : node.args.map(operand);
    const [a, b] = args as unknown as readonly [Piece, Piece];
    switch (node.tag) {
      case "const":
        if (node.dtype !== "bool") return number(node.value);
        return atom(node.value === 0 ? "False" : "True", "python");
      case "param":
        return atom(options.argument(node), "python");
      case "input":
        return atom(options.argument(node), node.dtype === "i32" ? "whole" : "real");
      case "iota":
        return place(node.axis, node, whole);
      case "count":
        return extent(node.axis, node, whole);
      case "unary":
        return unarySpellings[node.op](a, writer, guards.slopes.has(node));
      case "binary": {
        const guarded = node.op === "times" ? guards.products : guards.slopes;
        return binarySpellings[node.op](a, b, writer, guarded.has(node));
      }
      case "select":
        return clampOf(node, operand) ?? choice(args);
      case "reduce":
        return reduction(node, whole);
      case "at":
        return lookup(node, whole);
      case "sort":
        return atom(sortSpellings[node.op](writer.real(a).text), "whole");
      case "stop":
        return a.kind === "real" ? call("torch.detach", [a]) : a;
    }
  };
}
