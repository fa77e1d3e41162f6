// Grows random programs: a pool of terms to which operations on its members are added, as long as they are admitted (admit.ts).
// An operand that lies outside a domain is brought into it by one more operation, as an author would do, so that every
// operator gets its share. Some of what is added are phrases of the field and patterns of rules (phrases.ts).
import type { Random } from "../../src/sample/random.ts";
import { isTokenAxis, responseOf, type Axis } from "../../src/core/axis.ts";
import {
  at,
  binary,
  constant,
  count,
  reduce,
  select,
  sort,
  stop,
  unary,
} from "../../src/core/build.ts";
import { idsOf, isPrompt } from "../../src/core/inputs.ts";
import { topological, type Node } from "../../src/core/node.ts";
import type { Domain } from "../../src/core/operators/row.ts";
import {
  binaryNames,
  binaryOps,
  reduceOps,
  sortOps,
  unaryNames,
  unaryOps,
  type ReduceOp,
  type SortOp,
} from "../../src/core/ops.ts";
import { growPattern } from "./patterns.ts";
import { growPhrase } from "./phrases.ts";
import {
  innermost,
  isReal,
  plus,
  positive,
  sameTokens,
  tamed,
  times,
  type Grower,
  type Pool,
} from "./pool.ts";
import { leaves, pick, short } from "./scene.ts";

const reduceNames = Object.keys(reduceOps) as readonly ReduceOp[];
const sortNames = Object.keys(sortOps) as readonly SortOp[];

/** An operand as its operator wants it, if it does not take it as it is. */
function fitted(random: Random, domain: Domain, x: Node): Node {
  const { from, above, to, below, except } = domain;
  if (from !== undefined || above !== undefined || except !== undefined) return positive(random, x);
  return to !== undefined || below !== undefined
    ? unary("neg", positive(random, x))
    : tamed(random, x);
}

const growLeaf: Grower = (own) => own.add(() => pick(own.scene.random, leaves(own.scene))());

const growUnary: Grower = (own) => {
  const { random } = own.scene;
  const op = pick(random, unaryNames);
  const x = own.choose((node) => unaryOps[op].from.includes(node.dtype));
  if (x === undefined) return undefined;
  return (
    own.add(() => unary(op, x)) ?? own.add(() => unary(op, fitted(random, unaryOps[op].domain, x)))
  );
};

const growBinary: Grower = (own) => {
  const { random } = own.scene;
  // arithmetic is commoner than logic
  const op =
    random.uniform() < 0.5
      ? pick(random, ["plus", "minus", "times", "over"] as const)
      : pick(random, binaryNames);
  const a = own.choose((node) => binaryOps[op].from.includes(node.dtype));
  if (a === undefined) return undefined;
  const b = own.choose((node) => node.dtype === a.dtype && sameTokens(a, node));
  if (b === undefined) return undefined;
  if (!isReal(a)) return own.add(() => binary(op, a, b));
  return (
    own.add(() => binary(op, a, b)) ??
    own.add(() => {
      const [first, second] = binaryOps[op].domain;
      return binary(op, fitted(random, first, a), fitted(random, second, b));
    })
  );
};

const growSelect: Grower = (own) => {
  const condition = own.choose(({ dtype }) => dtype === "bool");
  if (condition === undefined) return undefined;
  const a = own.choose((node) => isReal(node) && sameTokens(condition, node));
  if (a === undefined) return undefined;
  const b = own.choose(
    (node) => isReal(node) && sameTokens(condition, node) && sameTokens(a, node),
  );
  return b === undefined ? undefined : own.add(() => select(condition, a, b));
};

const growReduce: Grower = (own) => {
  const { random } = own.scene;
  const x = own.choose((node) => isReal(node) && node.axes.length > 0);
  if (x === undefined) return undefined;
  const axis = random.uniform() < 0.8 ? innermost(x)! : pick(random, x.axes);
  return reduced(own, x, axis);
};

/** Σ, mean, log-sum-exp or maximum along one axis. */
function reduced(own: Pool, x: Node, axis: Axis): Node | undefined {
  const { random } = own.scene;
  const op = pick(random, [...reduceNames, "sum", "mean", "mean"] as const);
  if (op === "mean") return own.add(() => binary("over", reduce("sum", axis, x), count(axis)));
  const mayBeEmpty = isTokenAxis(axis) && isPrompt(responseOf(axis));
  return own.add(() => reduce(mayBeEmpty ? "sum" : op, axis, x));
}

const growAt: Grower = (own) => {
  const { random } = own.scene;
  const x = own.choose((node) => node.axes.length > 0);
  if (x === undefined) return undefined;
  const axis = random.uniform() < 0.7 ? innermost(x)! : pick(random, x.axes);
  const token = x.axes.find(isTokenAxis);
  if (axis === "vocab")
    return token === undefined ? undefined : own.add(() => at(x, axis, idsOf(responseOf(token))));
  if (axis !== "batch") return own.add(() => at(x, axis, constant(0, "i32")));
  const key = own.choose((node) => isReal(node) && node.axes.join() === "batch");
  return key === undefined
    ? own.add(() => at(x, axis, constant(random.integer(0, 1), "i32")))
    : own.add(() => at(x, axis, sort(pick(random, sortNames), "batch", key)));
};

const growSort: Grower = (own) => {
  const key = own.choose((node) => isReal(node) && node.axes.join() === "batch");
  if (key === undefined) return undefined;
  return own.add(() => unary("toReal", sort(pick(own.scene.random, sortNames), "batch", key)));
};

const growStop: Grower = (own) => {
  const x = own.choose(isReal);
  return x === undefined ? undefined : own.add(() => stop(x));
};

const growers: readonly (readonly [weight: number, grow: Grower])[] = [
  [4, growLeaf],
  [5, growUnary],
  [7, growBinary],
  [1.5, growSelect],
  [3, growReduce],
  [1.5, growAt],
  [0.5, growSort],
  [0.7, growStop],
  [3, growPhrase],
  [4, growPattern],
];
const totalWeight = growers.reduce((sum, [weight]) => sum + weight, 0);

/** Adds terms to a pool; `steps` are attempts. */
export function grow(own: Pool, steps: number): void {
  for (let leaf = 0; leaf < 5; leaf++) growLeaf(own);
  for (let step = 0; step < steps; step++) {
    let left = own.scene.random.uniform() * totalWeight;
    const [, chosen] = growers.find(([weight]) => (left -= weight) < 0) ?? growers[0]!;
    chosen(own);
  }
}

const isTrained = (node: Node): boolean =>
  topological([node]).some(
    ({ tag, ...rest }) => tag === "input" && "name" in rest && /^(policy|reward)\./.test(rest.name),
  );

/** Reduces a member until it has only axes among `kept`. */
export function closed(own: Pool, node: Node, kept: readonly Axis[]): Node | undefined {
  let current: Node | undefined = node;
  while (current !== undefined) {
    const open: Axis | undefined = current.axes
      .filter((axis) => !kept.includes(axis))
      .toReversed()[0];
    if (open === undefined) return current;
    current = reduced(own, current, open) ?? own.add(() => reduce("sum", open, current!));
  }
  return undefined;
}

/** A late member as a real number per example or in all; one that is wanted, if there is any. */
export function root(own: Pool, wanted: (node: Node) => boolean = () => true): Node | undefined {
  const { random } = own.scene;
  const members = own.members.filter(isReal);
  const fitting = members.filter(wanted);
  const late = (fitting.length > 0 ? fitting : members).slice(-8);
  if (late.length === 0) return undefined;
  return closed(own, pick(random, late), random.uniform() < 0.7 ? ["batch"] : []);
}

/** A sum of roots with short coefficients, so that little of the pool is wasted, and of a term that must not be. */
export function combined(own: Pool, terms: number, wanted?: Node): Node | undefined {
  const { random } = own.scene;
  let sum: Node | undefined;
  for (let term = 0; term < terms; term++) {
    const next = term === 0 ? root(own, isTrained) : root(own);
    if (next === undefined) continue;
    const scaled = random.uniform() < 0.5 ? next : times(next, short(random, -2, 2));
    sum = own.add(() => (sum === undefined ? scaled : plus(sum, scaled))) ?? sum;
  }
  const last = wanted && closed(own, wanted, ["batch"]);
  return sum && last ? (own.add(() => plus(sum, last)) ?? sum) : sum;
}
