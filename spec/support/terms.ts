// Random well-formed terms of the core, for properties of the printer, the parser, the verifier and the rewriter: a pool of
// leaves grows by operations on what is already there, so that sharing is common. Names contain whatever strings can.
import fc from "fast-check";
import { tokenAxis, type Axis } from "../../src/core/axis.ts";
import {
  at,
  binary,
  constant,
  count,
  input,
  iota,
  param,
  reduce,
  select,
  sort,
  state,
  stop,
  unary,
} from "../../src/core/build.ts";
import { PrefcError } from "../../src/core/error.ts";
import type { Node } from "../../src/core/node.ts";
import {
  binaryOps,
  reduceOps,
  sortOps,
  unaryOps,
  type BinaryOp,
  type ReduceOp,
  type SortOp,
  type UnaryOp,
} from "../../src/core/ops.ts";

const unaryNames = Object.keys(unaryOps) as readonly UnaryOp[];
const binaryNames = Object.keys(binaryOps) as readonly BinaryOp[];
const sortNames = Object.keys(sortOps) as readonly SortOp[];
const reduceNames = Object.keys(reduceOps) as readonly ReduceOp[];

/** Names that end lines, strings or comments, are invisible, are not Unicode, or mean something to JavaScript. */
export const oddNames: readonly string[] = [
  "",
  " ",
  'a "quoted" name',
  "two\nlines\r\n",
  "*/ } /* /*/",
  "\\",
  "\u2028\u2029\u0085\u200e",
  "\ud800",
  "naïve 偏好 👍🏽",
  "__proto__",
  "%0",
  "// x",
];

export const anyName: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("w", "l", "beta", "policy.logits.w"),
  fc.constantFrom(...oddNames),
  fc.string({ unit: "binary", maxLength: 12 }),
);

const finite: fc.Arbitrary<number> = fc.double({ noNaN: true, noDefaultInfinity: true });
const dtype = fc.constantFrom("f32" as const, "i32" as const, "bool" as const);

const axesOf = (response: string): readonly (readonly Axis[])[] => [
  [],
  ["batch"],
  ["vocab"],
  ["batch", "vocab"],
  [tokenAxis(response)],
  [tokenAxis(response), "vocab"],
];

const leaf: fc.Arbitrary<Node> = fc.oneof(
  finite.map((value) => constant(value)),
  fc.integer({ min: -5, max: 5 }).map((value) => constant(value, "i32")),
  fc.constantFrom(0, 1).map((value) => constant(value, "bool")),
  fc
    .tuple(anyName, fc.option(finite, { nil: undefined }), fc.boolean())
    .map(([name, initial, learned]) => param(name, initial, {}, learned)),
  fc.tuple(anyName, finite).map(([name, initial]) => state(name, initial)),
  fc
    .tuple(anyName, anyName, fc.nat(5), dtype, fc.boolean())
    .map(([name, response, space, type, learned]) =>
      input(name, axesOf(response)[space]!, type, learned && type === "f32"),
    ),
  fc
    .tuple(
      fc.constantFrom(iota, count),
      fc.oneof(fc.constantFrom<Axis>("batch", "vocab"), anyName.map(tokenAxis)),
    )
    .map(([make, axis]) => make(axis)),
);

interface Step {
  readonly kind: number;
  readonly args: readonly [number, number, number];
}
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.nat(),
  args: fc.tuple(fc.nat(), fc.nat(), fc.nat()),
});

/** One operation on members of the pool; undefined when the operation does not take them. */
function grow(pool: readonly Node[], { kind, args }: Step): Node | undefined {
  const [a, b, c] = args.map((position) => pool[position % pool.length]!) as [Node, Node, Node];
  const axis: Axis = a.axes[kind % Math.max(1, a.axes.length)] ?? "vocab";
  const makers: readonly (() => Node)[] = [
    () => unary(unaryNames[args[1] % unaryNames.length]!, a),
    () => binary(binaryNames[args[2] % binaryNames.length]!, a, b),
    () => select(c, a, b),
    () => reduce(reduceNames[args[1] % reduceNames.length]!, axis, a),
    () => at(a, axis, b),
    () => stop(a),
    () => sort(sortNames[args[1] % sortNames.length]!, "batch", a),
  ];
  try {
    return makers[kind % makers.length]!();
  } catch (error) {
    if (error instanceof PrefcError) return undefined;
    throw error;
  }
}

/** A pool of terms that use each other. */
export const terms: fc.Arbitrary<readonly Node[]> = fc
  .tuple(fc.array(leaf, { minLength: 1, maxLength: 6 }), fc.array(step, { maxLength: 30 }))
  .map(([leaves, steps]) => {
    const pool = [...leaves];
    for (const one of steps) {
      const made = grow(pool, one);
      if (made !== undefined) pool.push(made);
    }
    return pool;
  });

/** Named roots over such a pool. */
export const namedRoots: fc.Arbitrary<Readonly<Record<string, Node>>> = fc
  .tuple(terms, fc.uniqueArray(anyName, { minLength: 1, maxLength: 4 }))
  .map(([pool, names]) =>
    Object.fromEntries(
      names.map((name, position) => [name, pool[pool.length - 1 - (position % pool.length)]!]),
    ),
  );
