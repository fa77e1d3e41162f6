// Writes expressions of one row of logits as lines of Python over a tile [rows, vocab]: what is along the vocabulary has both
// axes, what is of the row the first. A term with several users, or a long one, gets a line.

import { fail } from "../core/error.ts";
import { printExpression } from "../core/infix.ts";
import type { Node } from "../core/node.ts";
import { anyResponse, relabelled } from "../seam/relabel.ts";
import { withHelper, type Uses } from "./formula.ts";
import { guardsOf } from "./guards.ts";
import { describing, namer } from "./names.ts";
import { binarySpellings, reduceSpellings, unarySpellings, type Writer } from "./operators.ts";
import { cut } from "./prepare.ts";
import { atom, call, infix, number, strengths, within, type Piece } from "./piece.ts";

const longestInline = 40;
const isAlong = (node: Node): boolean => node.axes.includes("vocab");

export const beyondARow = (node: Node): never =>
  fail(
    "emit-beyond-a-row",
    `emit: ${printExpression(relabelled([node], anyResponse, "y").get(node)!, 16)} stands under a reduction of the vocabulary and is not of one row of logits; reduce the vocabulary before tokens or examples.`,
  );

/** Operators of torch with a form that writes its result over its operand. */
const inPlace: ReadonlySet<string> = new Set([
  "exp",
  "log",
  "log1p",
  "expm1",
  "sigmoid",
  "tanh",
  "relu",
  "abs",
  "square",
]);
const inPlaceOfTwo = { times: "mul_", plus: "add_", minus: "sub_", over: "div_" } as const;

/**
 * Writes the roots. `taken` are the names of arguments, `known` terms that are handed over under a name, and nothing below them is read. Tiles may be
 * overwritten: whoever calls makes them for this call.
 */
export function writeTile(
  roots: readonly Node[],
  argument: (node: Node) => string,
  uses: Uses,
  taken: readonly string[],
  known: ReadonlyMap<Node, string> = new Map(),
): { readonly lines: readonly string[]; readonly pieces: readonly Piece[] } {
  const names = namer();
  for (const name of taken) names.fresh(name);
  const lines: string[] = [];
  const order = cut(roots, known);
  const guards = guardsOf(roots);
  const users = new Map<Node, number>();
  const read = order.flatMap((node) => (known.has(node) ? [] : node.args));
  for (const node of [...read, ...roots]) users.set(node, (users.get(node) ?? 0) + 1);
  /** Whether a term fills a tile of its own that nobody else reads. */
  const isFree = (node: Node): boolean =>
    node.axes.length > 1 &&
    isAlong(node) &&
    node.dtype === "f32" &&
    users.get(node) === 1 &&
    node.tag !== "stop" &&
    pieces.get(node)?.kind === "real";
  /** The factors of a product that is summed along the row and used for nothing else. */
  const factorsOf = (node: Node): readonly [Node, Node] | null => {
    if (node.tag !== "reduce" || node.op !== "sum" || node.axis !== "vocab") return null;
    const [body] = node.args;
    if (users.get(body) !== 1) return null;
    const factors =
      body.tag === "unary" && body.op === "square"
        ? ([body.args[0], body.args[0]] as const)
        : body.tag === "binary" && body.op === "times" && !guards.products.has(body)
          ? body.args
          : null;
    return factors?.every((one) => isAlong(one) && one.axes.length > 1 && one.dtype === "f32")
      ? factors
      : null;
  };
  const summed = new Set(
    order.filter((node) => factorsOf(node) !== null).map(({ args }) => args[0]),
  );
  const pieces = new Map<Node, Piece>();
  const unit = "z.new_ones(())";
  const writer: Writer = {
    real: (piece) =>
      piece.kind === "real" ? piece : infix("*", strengths.product, piece, atom(unit, "real")),
    helper: (name) => withHelper(name, uses),
    logsigmoid: () => ((uses.logsigmoid = true), "logsigmoid"),
    named: (piece) => {
      if (/^\w+$/.test(piece.text)) return piece;
      const name = names.fresh("x");
      lines.push(`${name} = ${piece.text}`);
      return atom(name, piece.kind);
    },
    math: () => (uses.modules.add("math"), "math"),
  };
  const column = (piece: Piece): Piece =>
    atom(`${within(piece, strengths.atom)}[:, None]`, piece.kind);
  /** A sum or product written over one of its operands. */
  const over = (node: Node): Piece | null => {
    if (node.tag !== "binary" || !Object.hasOwn(inPlaceOfTwo, node.op)) return null;
    const op = node.op as keyof typeof inPlaceOfTwo;
    const [left, right] = node.args;
    const widest = (x: Node, y: Node): boolean =>
      isFree(x) && x !== y && y.axes.every((axis) => x.axes.includes(axis));
    const turned = !widest(left, right) && (op === "times" || op === "plus");
    const [target, value] = turned ? [right, left] : [left, right];
    if (!widest(target, value)) return null;
    const other = pieces.get(value)!;
    const text = isAlong(value) || value.axes.length === 0 ? other.text : column(other).text;
    return atom(
      `${within(pieces.get(target)!, strengths.atom)}.${inPlaceOfTwo[op]}(${text})`,
      "real",
    );
  };
  const write = (node: Node): Piece => {
    const own = known.get(node);
    if (own !== undefined) return atom(own, "real");
    const operand = (arg: Node): Piece => {
      const piece = pieces.get(arg)!;
      return isAlong(node) && !isAlong(arg) && arg.axes.length > 0 ? column(piece) : piece;
    };
    const args = node.tag === "reduce" || node.tag === "at" ? [] : node.args.map(operand);
    const [a, b, c] = args as unknown as readonly [Piece, Piece, Piece];
    switch (node.tag) {
      case "const":
        if (node.dtype !== "bool") return number(node.value);
        return atom(node.value === 0 ? "False" : "True", "python");
      case "param":
        return atom(argument(node), "python");
      case "input":
        return atom(argument(node), node.dtype === "i32" ? "whole" : "real");
      case "iota":
        return node.axis === "vocab"
          ? atom("torch.arange(z.shape[1], device=z.device)", "whole")
          : beyondARow(node);
      case "count":
        return node.axis === "vocab" ? atom("z.shape[1]", "python") : beyondARow(node);
      case "unary": {
        const [x] = node.args;
        if (isFree(x) && node.op === "neg") return call("torch.neg_", [a]);
        if (isFree(x) && inPlace.has(node.op)) return call(`torch.${node.op}_`, [a]);
        return unarySpellings[node.op](a, writer, false);
      }
      case "binary": {
        // these lines are not differentiated again
        const guarded = guards.products.has(node);
        return (guarded ? null : over(node)) ?? binarySpellings[node.op](a, b, writer, guarded);
      }
      case "select": {
        const sides = b.kind === "real" || c.kind === "real" ? [b, c] : [writer.real(b), c];
        const own = sides.map((side) =>
          side.kind === "whole" || side.kind === "bool" ? writer.real(side) : side,
        );
        return call("torch.where", [a, ...own]);
      }
      case "reduce": {
        const [body] = node.args;
        if (node.axis !== "vocab") return beyondARow(node);
        const factors = factorsOf(node);
        if (factors !== null) {
          const [left, right] = factors.map((one) => pieces.get(one)!) as [Piece, Piece];
          const first = factors[0] === factors[1] ? writer.named(left) : left;
          return call("torch.linalg.vecdot", [first, factors[0] === factors[1] ? first : right]);
        }
        const x = pieces.get(body)!;
        if (isAlong(body)) return call(reduceSpellings[node.op].name, [writer.real(x), "1"]);
        if (node.op === "max") return x;
        const extent = atom("z.shape[1]", "python");
        return node.op === "sum"
          ? binarySpellings.times(writer.real(x), extent, writer, false)
          : binarySpellings.plus(
              writer.real(x),
              call(`${writer.math()}.log`, [extent], "python"),
              writer,
              false,
            );
      }
      case "at": {
        const [body, index] = node.args;
        if (node.axis !== "vocab") return beyondARow(node);
        const x = pieces.get(body)!;
        if (!isAlong(body)) return x;
        const i = index.axes.length === 0 ? null : column(pieces.get(index)!);
        return i === null
          ? atom(`${within(x, strengths.atom)}[:, ${pieces.get(index)!.text}]`, x.kind)
          : atom(`torch.gather(${x.text}, 1, ${i.text})[:, 0]`, x.kind);
      }
      case "sort":
        return beyondARow(node);
      case "stop":
        return a;
    }
  };
  for (const node of order) {
    if (summed.has(node)) continue;
    const piece = write(node);
    const leaf = node.tag === "const" || node.tag === "param" || node.tag === "input";
    const named =
      !leaf &&
      !/^-?\w+$/.test(piece.text) &&
      (users.get(node)! > 1 || piece.text.length > longestInline);
    if (named) {
      const name = names.fresh(wordFor(node) ?? describing(node));
      lines.push(`${name} = ${piece.text}`);
      pieces.set(node, atom(name, piece.kind));
    } else pieces.set(node, piece);
  }
  return { lines, pieces: roots.map((root) => writer.real(pieces.get(root)!)) };
}

/** log π and π have a word. */
function wordFor(node: Node): string | null {
  const isLog = (one: Node): boolean =>
    one.tag === "binary" &&
    one.op === "minus" &&
    one.args[1].tag === "reduce" &&
    one.args[1].op === "logSumExp" &&
    one.args[1].args[0] === one.args[0];
  const model = (one: Node): string =>
    one.tag === "input" && one.datum.kind === "logits" && one.datum.model === "ref" ? "_ref" : "";
  if (isLog(node)) return `log_pi${model(node.args[0])}`;
  if (node.tag === "unary" && node.op === "exp" && isLog(node.args[0]))
    return `pi${model(node.args[0].args[0])}`;
  return null;
}
