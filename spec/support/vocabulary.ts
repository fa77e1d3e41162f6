// Random expressions along the vocabulary of both models' logits, over everything that the algebra of forms has a law for
// (sums, products, exponentials of lines, indicators of the label and of the maximum) and things that it has none for.
import fc from "fast-check";
import { gradient } from "../../src/ad/gradient.ts";
import type { Batch } from "../../src/batch/batch.ts";
import { tokenAxis } from "../../src/core/axis.ts";
import {
  at,
  binary,
  constant,
  count,
  iota,
  param,
  reduce,
  select,
  stop,
  unary,
} from "../../src/core/build.ts";
import { idsOf, logitsOf } from "../../src/core/inputs.ts";
import { printExpression } from "../../src/core/infix.ts";
import { topological, type Node } from "../../src/core/node.ts";
import type { BinaryOp, ReduceOp, UnaryOp } from "../../src/core/ops.ts";
import { evaluate } from "../../src/reference/interpret.ts";

/** Terms over [batch, token, vocab] and over [batch, token] of one response. */
interface Pool {
  readonly wide: Node[];
  readonly rows: Node[];
}
interface Step {
  readonly kind: number;
  readonly picks: readonly [number, number, number];
}

const half = constant(0.5);
const vocabReduce = (op: ReduceOp, x: Node): Node => reduce(op, "vocab", x);
const real = (x: Node): Node => unary("toReal", x);

function start(response: string): Pool {
  const [policy, ref] = [logitsOf("policy", response), logitsOf("ref", response)];
  const logPi = (z: Node): Node => binary("minus", z, vocabReduce("logSumExp", z));
  return {
    wide: [policy, ref, logPi(policy), logPi(ref), unary("exp", logPi(policy))],
    rows: [
      at(logPi(policy), "vocab", idsOf(response)),
      vocabReduce("max", policy),
      constant(0),
      constant(0.5),
      constant(-1),
      constant(2),
      param("beta", 0.3),
      binary("over", constant(1), count(tokenAxis(response))),
    ],
  };
}

const pick = (list: readonly Node[], position: number): Node => list[position % list.length]!;

/** One more term: along the vocabulary or, by reducing or reading the label, for a row. */
function grow(pool: Pool, response: string, { kind, picks }: Step): void {
  const [a, b] = [pick(pool.wide, picks[0]), pick(pool.wide, picks[1])];
  const [r, s] = [pick(pool.rows, picks[1]), pick(pool.rows, picks[2])];
  const z = logitsOf(picks[2] % 2 === 0 ? "policy" : "ref", response);
  const isLabel = binary("eq", iota("vocab"), idsOf(response));
  const isTop = binary("eq", z, vocabReduce("max", z));
  const names = <Op extends BinaryOp | UnaryOp | ReduceOp>(...ops: readonly Op[]): Op =>
    ops[picks[2] % ops.length]!;
  const wide: readonly (() => Node)[] = [
    () => binary(names("plus", "minus"), a, b),
    () => binary(names("plus", "minus"), a, r),
    () => binary("times", a, r),
    () => binary("times", a, b),
    () => binary("over", a, binary("plus", constant(1), unary("square", r))),
    () => unary("exp", a),
    () => unary(names("neg", "square"), a),
    () => select(isLabel, a, b),
    () => select(isTop, a, b),
    () => select(binary("gt", r, s), a, b),
    () => binary("times", real(picks[2] % 2 === 0 ? isLabel : isTop), a),
    // without a law
    () => select(binary("gt", a, b), a, r),
    () => unary(names("abs", "sigmoid", "relu"), a),
    () => binary(names("maximum", "minimum"), a, b),
    () => binary("times", real(unary("not", binary("ge", a, r))), b),
    () => stop(a),
    () => select(binary(names("and", "or"), isLabel, isTop), a, b),
    () => select(unary("not", picks[2] % 2 === 0 ? isLabel : isTop), a, b),
    () => select(binary(names("and", "or"), binary("gt", r, s), isTop), a, b),
    () => select(binary("ne", z, half), a, b),
    () => select(binary("eq", idsOf(response), iota("vocab")), a, b),
    () => unary("exp", binary("minus", z, vocabReduce("max", z))),
    () => binary("times", real(iota("vocab")), unary("exp", a)),
  ];
  const rows: readonly (() => Node)[] = [
    () => vocabReduce("sum", a),
    () => vocabReduce(names("max", "logSumExp"), a),
    () => at(a, "vocab", idsOf(response)),
    () => binary(names("plus", "minus", "times"), r, s),
    () => unary(names("neg", "sigmoid", "square"), r),
    () => vocabReduce(names("sum", "max", "logSumExp"), r),
    () => select(binary("gt", r, s), r, constant(1)),
    () => binary("times", half, vocabReduce("sum", binary("times", unary("exp", a), b))),
  ];
  const choice = kind % (wide.length + rows.length);
  const makeWide = wide[choice];
  if (makeWide !== undefined) pool.wide.push(makeWide());
  else pool.rows.push(rows[choice - wide.length]!());
}

const steps = fc.array(
  fc.record({ kind: fc.nat(), picks: fc.tuple(fc.nat(), fc.nat(), fc.nat()) }),
  { minLength: 1, maxLength: 8 },
);

/** The last of the pool, brought to one number per token, then summed over tokens and averaged over the batch. */
const scalarOf = (response: string, own: readonly Step[]): Node => {
  const pool = start(response);
  for (const step of own) grow(pool, response, step);
  const last = [pool.wide, pool.rows].map((list) => list[list.length - 1]!) as [Node, Node];
  const token = binary("plus", vocabReduce("sum", last[0]), last[1]);
  const sequence = reduce("sum", tokenAxis(response), token);
  return binary("over", reduce("sum", "batch", sequence), count("batch"));
};

/** A loss over both responses and a metric over one. */
export interface Drawn {
  readonly loss: Node;
  readonly metric: Node;
  readonly [fc.toStringMethod]: () => string;
}
export const vocabularyLosses: fc.Arbitrary<Drawn> = fc
  .tuple(steps, steps)
  .map(([first, second]) => {
    const loss = binary("minus", scalarOf("w", first), scalarOf("l", second));
    const metric = scalarOf("w", second);
    const text = (): string => `${printExpression(loss, 60)} and ${printExpression(metric, 60)}`;
    return { loss, metric, [fc.toStringMethod]: text };
  });

/** Values beyond this amplify the rounding of float64 itself. */
const bound = 1e4;

/** What a node compares: two values, or one with zero; null where it does not compare. Equality is exact or a tie of a maximum. */
function compared(node: Node): Node | null {
  if (node.dtype !== "i32" && node.args[0]?.dtype !== "f32") return null;
  if (node.tag === "unary") return ["abs", "relu", "sign"].includes(node.op) ? node.args[0] : null;
  const ordered =
    node.tag === "binary" && ["gt", "ge", "lt", "le", "maximum", "minimum"].includes(node.op);
  return ordered ? binary("minus", ...node.args) : null;
}

/**
 * Whether every value on the way to the roots and to the gradients of the first is of ordinary size, and nothing that is
 * compared is so close that rounding could decide: two ways of computing it may then choose differently, and both be right.
 */
export function isTame(roots: readonly [Node, ...Node[]], batch: Batch): boolean {
  const inputs = topological(roots).filter((node) => node.tag === "input" && node.dtype === "f32");
  const nodes = topological([...roots, ...gradient(roots[0], inputs)]);
  const differences = nodes.map(compared).filter((node) => node !== null);
  const reals = nodes.filter(({ dtype }) => dtype === "f32");
  try {
    const values = evaluate([...reals, ...differences], batch, {});
    return values.every(({ data }, position) =>
      data.every(
        (value) =>
          Math.abs(value) < bound && (position < reals.length || Math.abs(value) > 1 / bound ** 2),
      ),
    );
  } catch {
    return false;
  }
}
