// What random operations seldom make, and the compiler has laws for: phrases of the field along the vocabulary (a divergence, an
// indicator of the label, a maximum), and the pattern of every rewrite rule over members of the pool.
import { type Axis } from "../../src/core/axis.ts";
import { at, binary, constant, iota, reduce, select, unary } from "../../src/core/build.ts";
import { idsOf, logitsOf, logSoftmaxOf } from "../../src/core/inputs.ts";
import { topological, type Node } from "../../src/core/node.ts";
import { instantiate, isAxisVariable, variableOf } from "../../src/rewrite/rule.ts";
import { simplification } from "../../src/rewrite/simplify.ts";
import { innermost, isReal, plus, positive, sameTokens, times, type Grower } from "./pool.ts";
import { pick, short } from "./scene.ts";

/** Phrases along the vocabulary, for which the compiler has laws. */
export const growPhrase: Grower = (own) => {
  const { random, responses } = own.scene;
  const y = pick(random, responses);
  const z = logitsOf(random.uniform() < 0.75 ? "policy" : "ref", y);
  const lp = logSoftmaxOf(z);
  const pi = unary("exp", lp);
  const ref = logSoftmaxOf(logitsOf("ref", y));
  const factor = constant(pick(random, [0.5, 2, 3, -1, 1.5, -0.5]));
  const label = binary("eq", iota("vocab"), idsOf(y));
  const row = own.choose(
    (node) => isReal(node) && sameTokens(node, z) && !node.axes.includes("vocab"),
  );
  const entry = own.choose(
    (node) => isReal(node) && node.axes.includes("vocab") && sameTokens(node, z),
  );
  const top = reduce("max", "vocab", z);
  return own.add(
    pick(random, [
      () => reduce("sum", "vocab", times(pi, lp)),
      () => reduce("sum", "vocab", times(pi, binary("minus", lp, ref))),
      () => reduce("sum", "vocab", times(unary("exp", ref), binary("minus", ref, lp))),
      () => reduce("logSumExp", "vocab", times(z, factor)),
      () => reduce("logSumExp", "vocab", binary("minus", z, ref)),
      () => reduce("sum", "vocab", unary("exp", times(lp, factor))),
      () => reduce("sum", "vocab", unary("square", binary("minus", pi, unary("exp", ref)))),
      () => reduce("sum", "vocab", times(unary("square", lp), pi)),
      () => reduce("sum", "vocab", unary("abs", binary("minus", pi, unary("exp", ref)))),
      () => select(label, z, times(z, factor)),
      () => select(label, constant(1), pi),
      () => times(unary("toReal", binary("eq", z, top)), pi),
      () => binary("over", z, plus(unary("square", row ?? constant(1)), 1)),
      () => times(pi, row ?? constant(2)),
      () => (entry === undefined ? undefined : reduce("sum", "vocab", times(pi, entry))),
      () => (entry === undefined ? undefined : reduce("max", "vocab", entry)),
      () => (entry === undefined ? undefined : reduce("sum", "vocab", entry)),
      () => top,
      () => unary("toReal", binary("ge", at(z, "vocab", idsOf(y)), top)),
    ]),
  );
};

const axisVariablesIn = (term: Node): readonly Axis[] =>
  [...new Set(topological([term]).flatMap((node) => ("axis" in node ? [node.axis] : [])))].filter(
    isAxisVariable,
  );

/** The pattern of a rewrite rule over members of the pool, so that every rule has something to do. */
export const growPattern: Grower = (own) => {
  const { random } = own.scene;
  const { pattern, variables } = pick(random, simplification);
  const body = own.choose((node) => isReal(node) && node.axes.length > 0);
  const axes = new Map(
    axisVariablesIn(pattern).map(
      (axis) => [axis, body === undefined ? "batch" : innermost(body)!] as const,
    ),
  );
  const nodes = new Map<Node, Node>();
  for (const target of variables) {
    const { dtype, constant: isConstant, without, within, domain } = variableOf(target)!;
    const free = without === undefined ? undefined : axes.get(without);
    const drawn =
      dtype === "f32"
        ? short(random, ...domain)
        : random.integer(Math.ceil(domain[0]), Math.floor(domain[1]));
    const member = own.choose(
      (node) =>
        node.dtype === dtype &&
        (free === undefined || !node.axes.includes(free)) &&
        (within === undefined || node.axes.every((axis) => within.includes(axis))),
    );
    nodes.set(target, isConstant || member === undefined ? constant(drawn, dtype) : member);
  }
  const order = topological([pattern]);
  const made = (change: (x: Node) => Node): Node | undefined =>
    own.add(() => {
      const changed = new Map(
        [...nodes].map(([target, x]) => [
          target,
          x.dtype === "f32" && x.tag !== "const" ? change(x) : x,
        ]),
      );
      const term = instantiate(pattern, order, { nodes: changed, axes });
      return term.dtype === "f32"
        ? term
        : term.dtype === "i32" || term.dtype === "bool"
          ? unary("toReal", term)
          : undefined;
    });
  // what lies outside the domain is tried once more within it
  return (
    made((x) => x) ??
    made((x) => positive(random, x)) ??
    made((x) => unary("neg", positive(random, x))) ??
    made((x) => unary("sigmoid", x))
  );
};
