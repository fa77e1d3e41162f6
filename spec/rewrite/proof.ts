// What it means for a rule to be right: instantiate pattern and result with the same random values of the variables, over
// the same random index space, and the reference reads the same numbers. A variable stands for data over any axes that the
// rule lets it have; tokens are ragged.
import fc from "fast-check";
import type { Batch } from "../../src/batch/batch.ts";
import type { Axis } from "../../src/core/axis.ts";
import { binary, constant, iota, param, select, unary } from "../../src/core/build.ts";
import { topological, type DType, type Node } from "../../src/core/node.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { sizeOf, type Tensor } from "../../src/reference/tensor.ts";
import {
  instantiate,
  isAxisVariable,
  variableOf,
  withComputed,
  type Bindings,
  type Interval,
  type Rule,
} from "../../src/rewrite/rule.ts";

const offsets = Uint32Array.from([0, 3, 5]);

/** Two examples with three and two tokens, and a vocabulary of three: indices 0 and 1 are within every axis. */
const space: Batch = {
  examples: 2,
  vocab: 3,
  responses: { w: { offsets, labels: Uint32Array.from([0, 1, 2, 0, 1]) } },
  inputs: {},
};
const axes: readonly Axis[] = ["batch", "token.w", "vocab"];
const subspaces: readonly (readonly Axis[])[] = [
  [],
  ["batch"],
  ["vocab"],
  ["batch", "vocab"],
  ["batch", "token.w"],
  ["batch", "token.w", "vocab"],
];

const numbers = (dtype: DType, [low, high]: Interval): fc.Arbitrary<number> =>
  dtype === "f32"
    ? fc.double({ min: low, max: high, noNaN: true })
    : fc.integer({ min: Math.ceil(low), max: Math.floor(high) });

/**
 * A term over the given axes that needs no data, to which the reference is then told to give other values. The name keeps
 * two such terms apart.
 */
export function standIn(
  name: string,
  dtype: DType,
  over: readonly Axis[],
  [low, high]: Interval = [-1, 1],
): Node {
  const positions = over.map((axis) => unary("toReal", iota(axis)));
  const real = positions.reduce((sum, one) => binary("plus", sum, one), param(name, 0));
  // of a sign that rules may ask for
  if (dtype === "f32" && low >= 0) return unary(low > 0 ? "sigmoid" : "abs", real);
  if (dtype === "f32" && high <= 0) return unary("neg", unary("sigmoid", real));
  if (dtype === "f32") return real;
  const flag = binary("gt", real, constant(0));
  if (dtype === "bool") return flag;
  const index = over
    .map((axis) => iota(axis))
    .reduce((sum, one) => binary("plus", sum, one), constant(0, "i32"));
  return select(flag, index, constant(0, "i32"));
}

/** The axes that the patterns of a rule bind: none or one. */
export const boundAxis = (rule: Rule): Axis | undefined =>
  topological([rule.pattern]).flatMap((node) =>
    "axis" in node && isAxisVariable(node.axis) ? [node.axis] : [],
  )[0];

/** Where a variable may live when the rule's axis variable stands for `axis`. */
const allowed = (variable: Node, axis: Axis | undefined): readonly (readonly Axis[])[] =>
  subspaces.filter((one) => {
    const { within } = variableOf(variable)!;
    if (within !== undefined && !one.every((other) => within.includes(other))) return false;
    const free =
      variableOf(variable)!.without === undefined || axis === undefined || !one.includes(axis);
    // tokens cannot outlive the batch that they are ragged over
    const orderly = axis !== "batch" || !one.includes("token.w");
    return free && orderly;
  });

interface Instance {
  readonly bindings: Bindings;
  readonly held: ReadonlyMap<Node, Tensor>;
}

const instanceOver = (rule: Rule, axis: Axis | undefined): fc.Arbitrary<Instance> => {
  const bind = (variable: Node): fc.Arbitrary<readonly [Node, Tensor | undefined]> => {
    const { name, dtype, domain, constant: isConstant } = variableOf(variable)!;
    const value = numbers(dtype, domain);
    if (isConstant) return value.map((one) => [constant(one, dtype), undefined] as const);
    return fc.constantFrom(...allowed(variable, axis)).chain((over) => {
      const size = sizeOf(over, space);
      return fc
        .array(value, { minLength: size, maxLength: size })
        .map(
          (data) =>
            [
              standIn(name, dtype, over, domain),
              { axes: over, data: Float64Array.from(data) },
            ] as const,
        );
    });
  };
  return fc.tuple(...rule.variables.map(bind)).map((bound) => ({
    bindings: {
      nodes: new Map(rule.variables.map((variable, position) => [variable, bound[position]![0]])),
      axes: new Map(axis === undefined ? [] : [[boundAxis(rule)!, axis]]),
    },
    held: new Map(
      bound.flatMap(([node, tensor]) => (tensor === undefined ? [] : [[node, tensor] as const])),
    ),
  }));
};

/** Random instances of the variables and axes of a rule. */
export const instances = (rule: Rule): fc.Arbitrary<Instance> =>
  boundAxis(rule) === undefined
    ? instanceOver(rule, undefined)
    : fc.constantFrom(...axes).chain((axis) => instanceOver(rule, axis));

const asReal = (node: Node): Node => (node.dtype === "f32" ? node : unary("toReal", node));

/**
 * Float64 rounds to 1e-16; the functions of the rules enlarge that by at most e^8 times the number of terms summed and,
 * next to the edges of the domains, by the reciprocal of the distance, 1e-3. 1e-9 leaves room and is far below any mistake.
 */
const tolerance = 1e-9;

const close = (a: number, b: number): boolean =>
  Object.is(a, b) || Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a), Math.abs(b));

/** Pattern and result of one instance, as the bindings give them; undefined where the rule says it does not apply. */
export function sides(rule: Rule, bindings: Bindings): readonly [Node, Node] | undefined {
  if (rule.when !== undefined && !rule.when((one) => bindings.nodes.get(one)!)) return undefined;
  const all = withComputed(rule.compute, bindings);
  if (all === undefined) return undefined;
  return [
    instantiate(rule.pattern, topological([rule.pattern]), all),
    instantiate(rule.result, rule.order, all),
  ];
}

/** The property that a rule is right; fast-check shows the instance for which it is not. */
export const soundness = (rule: Rule): fc.IProperty<[Instance]> =>
  fc.property(instances(rule), ({ bindings, held }) => {
    const both = sides(rule, bindings);
    fc.pre(both !== undefined);
    const [pattern, result] = both.map(asReal) as [Node, Node];
    // both over the union of their axes: a result may have dropped some
    const tables = [1, 0].map((choice) => select(constant(choice, "bool"), pattern, result));
    const [left, right] = evaluate(tables, space, {}, held) as [Tensor, Tensor];
    return left.data.every((value, position) => close(value, right.data[position]!));
  });
