// Writes expressions of one row of logits as lines of Python over a tile [rows, vocab]: what is along the vocabulary has both
// axes, what is of the row the first. A term with several users, or a long one, gets a line.

import { fail } from "../core/error.ts";
import { printExpression } from "../core/infix.ts";
import { topological, type Node } from "../core/node.ts";
import { anyResponse, relabelled } from "../seam/relabel.ts";
import { withHelper, type Uses } from "./formula.ts";
import { guardsOf } from "./guards.ts";
import { describing, namer } from "./names.ts";
import { binarySpellings, reduceSpellings, unarySpellings, type Writer } from "./operators.ts";
import { atom, call, infix, number, strengths, within, type Piece } from "./piece.ts";

const longestInline = 40;
const isAlong = (node: Node): boolean => node.axes.includes("vocab");

export const beyondARow = (node: Node): never =>
  fail(
    "emit-beyond-a-row",
    `emit: ${printExpression(relabelled([node], anyResponse, "y").get(node)!, 16)} stands under a reduction of the vocabulary and is not of one row of logits; reduce the vocabulary before tokens or examples.`,
  );

export function writeTile(
  roots: readonly Node[],
  argument: (node: Node) => string,
  uses: Uses,
): { readonly lines: readonly string[]; readonly pieces: readonly Piece[] } {
  const names = namer();
  for (const name of ["z", "z_ref", "y"]) names.fresh(name);
  const lines: string[] = [];
  const order = topological(roots);
  const guards = guardsOf(roots);
  const users = new Map<Node, number>();
  for (const node of [...order.flatMap(({ args }) => args), ...roots])
    users.set(node, (users.get(node) ?? 0) + 1);
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
  const write = (node: Node): Piece => {
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
      case "unary":
        return unarySpellings[node.op](a, writer, false);
      case "binary": {
        // these lines are not differentiated again
        return binarySpellings[node.op](a, b, writer, guards.products.has(node));
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
