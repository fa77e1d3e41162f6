// Values in two parts whose sum they are, where one float64 would lose what a later difference asks for. log Σ e^x is its maximum
// and the logarithm of what the others add to it, so that log π = (z − max) − rest keeps its digits near probability 1. e^x near
// x = 0 is 1 and e^x − 1, and σ(x) is 1 and −σ(−x), so that 1 − π does not become 0 from a gap of 36 nats on: a gradient
// c·[v = y] − c·π keeps the label's entry, and so does that of an entropy. The parts of e^x and σ go on through what is made of
// them; those of a log-sum-exp end in the next difference.

import type { Batch } from "../batch/batch.ts";
import type { Node } from "../core/node.ts";
import { binaryOps, unaryOps } from "../core/ops.ts";
import { reader, tabulate, type Environment } from "./tensor.ts";

/** A value in each environment. */
export type Read = (place: Environment) => number;

/** The first part is what may cancel; the second is 0, or small beside it. */
export interface Parts {
  readonly top: Read;
  readonly rest: Read;
}
/** The parts of every value that is in two. */
export interface Split {
  readonly logSumExps: Map<Node, Parts>;
  readonly others: Map<Node, Parts>;
}
export const noSplit = (): Split => ({ logSumExps: new Map(), others: new Map() });

const product = binaryOps.times.reference;
const { reference: sigmoid } = unaryOps.sigmoid;
const nothing: Read = () => 0;

/** Parts that are listed when they are first asked for: most never are. */
export function listed(node: Node, batch: Batch, { top, rest }: Parts): Parts {
  const late = (part: Read): Read => {
    let known: Read | undefined;
    return (place) => {
      known ??= reader(tabulate(node.axes, batch, part), batch);
      return known(place);
    };
  };
  return { top: late(top), rest: late(rest) };
}

/** The value of both parts; an infinite one has nothing beside it. */
export const whole =
  ({ top, rest }: Parts): Read =>
  (place) => {
    const first = top(place);
    return Number.isFinite(first) ? first + rest(place) : first;
  };

/** A value as 1 and its difference from 1, where it is nearer to 1 than to anything else. */
const nearOne = (isNear: Read, fromOne: Read, value: Read): Parts => ({
  top: (place) => (isNear(place) ? 1 : value(place)),
  rest: (place) => (isNear(place) ? fromOne(place) : 0),
});
const exponential = (x: Read): Parts =>
  nearOne(
    (place) => Number(Math.abs(x(place)) < Math.LN2),
    (place) => Math.expm1(x(place)),
    (place) => Math.exp(x(place)),
  );
const logistic = (x: Read): Parts =>
  nearOne(
    (place) => Number(x(place) > 0),
    (place) => -sigmoid(-x(place)),
    (place) => sigmoid(x(place)),
  );

const each = (
  { top, rest }: Parts,
  apply: (part: number, place: Environment) => number,
): Parts => ({
  top: (place) => apply(top(place), place),
  rest: (place) => apply(rest(place), place),
});

/**
 * A factor or a choice that one float64 holds, so that c − c·1 is 0: its second part goes on only where it is lost in the first.
 * Elsewhere it is the value that it has by itself, to the last bit, so that it still equals its own maximum.
 */
const rounded = ({ top, rest }: Parts, value: Read): Parts => {
  const isLost: Read = (place) => Number(top(place) + rest(place) === top(place));
  return {
    top: (place) => (isLost(place) ? top(place) : value(place)),
    rest: (place) => (isLost(place) ? rest(place) : 0),
  };
};

const products = (a: Parts, b: Parts): Parts => ({
  top: (place) => product(a.top(place), b.top(place)),
  rest: (place) =>
    product(a.top(place), b.rest(place)) +
    product(a.rest(place), b.top(place)) +
    product(a.rest(place), b.rest(place)),
});

/** A sum or difference; a value that is not in parts is one that may cancel. */
const sums = (sign: 1 | -1, a: Parts, b: Parts): Parts => ({
  top: (place) => a.top(place) + sign * b.top(place),
  rest: (place) => a.rest(place) + sign * b.rest(place),
});

/** a ± b by the parts of either; undefined where neither has any. */
export function sumOf(node: Node, args: readonly Read[], split: Split): Parts | undefined {
  const known = node.args.map((arg) => split.others.get(arg) ?? split.logSumExps.get(arg));
  if (node.tag !== "binary" || known.every((parts) => parts === undefined)) return undefined;
  const [a, b] = known.map((parts, n) => parts ?? { top: args[n]!, rest: nothing });
  return sums(node.op === "plus" ? 1 : -1, a!, b!);
}

/** The parts of a node that is no reduction, given the values of its arguments; undefined where none go on. */
export function partsOf(node: Node, args: readonly Read[], split: Split): Parts | undefined {
  if (node.tag === "unary" && node.op === "exp") return exponential(args[0]!);
  if (node.tag === "unary" && node.op === "sigmoid") return logistic(args[0]!);
  const known = node.args.map((arg) => split.others.get(arg));
  if (known.every((parts) => parts === undefined)) return undefined;
  const parts = known.map((one, n) => one ?? { top: args[n]!, rest: nothing });
  const [a, b, c] = parts as [Parts, Parts, Parts];
  if (node.tag === "stop") return a;
  if (node.tag === "unary") return node.op === "neg" ? each(a, (part) => -part) : undefined;
  if (node.tag === "select") {
    const [whenTrue, whenFalse] = [rounded(b, args[1]!), rounded(c, args[2]!)];
    const chosen = (place: Environment): Parts => (args[0]!(place) !== 0 ? whenTrue : whenFalse);
    return { top: (place) => chosen(place).top(place), rest: (place) => chosen(place).rest(place) };
  }
  if (node.tag !== "binary") return undefined;
  switch (node.op) {
    case "plus":
    case "minus":
      return node.args.some((arg) => split.logSumExps.has(arg))
        ? undefined
        : sumOf(node, args, split);
    case "times": {
      const [first, second] = node.args;
      // of two factors, the one of fewer axes is the coefficient
      return first.axes.length <= second.axes.length
        ? products(rounded(a, args[0]!), b)
        : products(a, rounded(b, args[1]!));
    }
    case "over":
      return known[1] === undefined ? each(a, (part, place) => part / args[1]!(place)) : undefined;
    default:
      return undefined;
  }
}

/** Σ of terms in two parts; what is lost of the first ones is found, and is the second part with theirs. */
export function total(tops: Iterable<number>, rests: Iterable<number>): [number, number] {
  let [sum, lost] = [0, 0];
  for (const x of tops) {
    const next = sum + x;
    lost += Math.abs(sum) >= Math.abs(x) ? sum - next + x : x - next + sum;
    sum = next;
  }
  for (const x of rests) lost += x;
  return [sum, lost];
}
