// What random operations seldom make, and the compiler has laws for: phrases of the field along the vocabulary, such as a
// divergence, an indicator of the label or a maximum.
import { at, binary, constant, iota, reduce, select, unary } from "../../src/core/build.ts";
import { idsOf, logitsOf, logSoftmaxOf } from "../../src/core/inputs.ts";
import { isReal, plus, sameTokens, times, type Grower } from "./pool.ts";
import { pick } from "./scene.ts";

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
