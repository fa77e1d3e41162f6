// One expression on one line, in the infix notation of papers, for explanations and error messages. Nothing reads it back,
// so it may abbreviate: subterms beyond a limit become "…", those nearest to the root being kept.

import type { Node } from "./node.ts";
import { strengths } from "./operators/row.ts";
import { binaryOps, unaryOps, type BinaryOp } from "./ops.ts";
import { quote, spellAxis, spellNumber } from "./spell.ts";

interface Piece {
  readonly text: string;
  readonly strength: number;
}

const atom = (text: string): Piece => ({ text, strength: strengths.atom });
const call = (name: string, args: readonly Piece[]): Piece =>
  atom(`${name}(${args.map((arg) => arg.text).join(", ")})`);
const within = (piece: Piece, strength: number): string =>
  piece.strength < strength ? `(${piece.text})` : piece.text;
/** Dotted names are read as one word: `policy.logits.w`. */
const dotted = /^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*$/;
const name = (text: string): string => (dotted.test(text) ? text : quote(text));

function constantPiece(value: number, dtype: Node["dtype"]): Piece {
  if (dtype === "bool") return atom(value === 0 ? "false" : "true");
  return {
    text: spellNumber(value),
    strength: value < 0 || Object.is(value, -0) ? strengths.prefix : strengths.atom,
  };
}

function binaryPiece(op: BinaryOp, a: Piece, b: Piece): Piece {
  const { infix } = binaryOps[op];
  if (infix === undefined) return call(op, [a, b]);
  const strength = strengths[infix.strength];
  // operators of one strength are read from the left, and comparisons do not chain
  const left = within(a, infix.strength === "comparison" ? strength + 1 : strength);
  const right = within(b, strength + 1);
  return { text: `${left} ${infix.symbol} ${right}`, strength };
}

function piece(node: Node, args: readonly Piece[]): Piece {
  const [a, b] = args as readonly [Piece, Piece];
  switch (node.tag) {
    case "const":
      return constantPiece(node.value, node.dtype);
    case "param":
    case "input":
      return atom(name(node.name));
    case "iota":
    case "count":
      return atom(`${node.tag}[${spellAxis(node.axis)}]`);
    case "unary": {
      const { prefix } = unaryOps[node.op];
      if (prefix === undefined) return call(node.op, args);
      return { text: `${prefix}${within(a, strengths.atom)}`, strength: strengths.prefix };
    }
    case "binary":
      return binaryPiece(node.op, a, b);
    case "select":
      return call("where", args);
    case "reduce":
    case "sort":
      return call(`${node.op}[${spellAxis(node.axis)}]`, args);
    case "at":
      return atom(`${within(a, strengths.atom)}[${spellAxis(node.axis)} = ${b.text}]`);
    case "stop":
      return call("stopGrad", args);
  }
}

/** A place in the expression seen as a tree; a shared node has several. */
interface Place {
  readonly node: Node;
  readonly below: number[];
  shown: boolean;
}

/**
 * The expression on one line, for example `-logSigmoid(beta * (sum[token.w](…) - sum[token.l](…)))`.
 * At most `limit` operators are written, counted from the root outwards; leaves are always written.
 */
export function printExpression(node: Node, limit: number = 60): string {
  const places: Place[] = [{ node, below: [], shown: true }];
  let operators = 0;
  for (let position = 0; position < places.length; position++) {
    const place = places[position]!;
    if (place.node.args.length === 0) continue;
    place.shown = operators++ < limit;
    if (!place.shown) continue;
    for (const arg of place.node.args) {
      place.below.push(places.length);
      places.push({ node: arg, below: [], shown: true });
    }
  }
  const pieces: Piece[] = [];
  for (let position = places.length - 1; position >= 0; position--) {
    const { node: one, below, shown } = places[position]!;
    pieces[position] = shown
      ? piece(
          one,
          below.map((index) => pieces[index]!),
        )
      : atom("…");
  }
  return pieces[0]!.text;
}
