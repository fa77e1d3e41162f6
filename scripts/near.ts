// How exact divergences of two models that are near each other are on an adapter, and their gradients:
// `npx tsx scripts/near.ts [entries]` prints a table of errors on the adapter that PREFC_ADAPTER names. What is right is the
// interpreter's float64, of which more than eight digits are left at the least distance (spec/witness/hard.spec.ts).

import {
  compile,
  exp,
  fromResponses,
  log,
  logPi,
  mean,
  objective,
  openDevice,
  square,
  sum,
  type Expr,
  type Given,
  type PerVocab,
} from "../src/index.ts";
import { gradient } from "../src/ad/gradient.ts";
import { logitsOf } from "../src/core/inputs.ts";
import { evaluate } from "../src/reference/interpret.ts";
import { random } from "../src/sample/random.ts";

const entries = Number(process.argv[2] ?? 128_256);
const distances = [1e-3, 1e-2, 1e-1, 1, 10];

type Term = Expr<PerVocab<"w">>;
/** Σ over the vocabulary of a term of log π and log π_ref. */
const divergences: Readonly<Record<string, (p: Term, q: Term) => Term>> = {
  "KL(π_ref, π)": (p, q) => exp(q).times(q.minus(p)),
  "KL(π, π_ref)": (p, q) => exp(p).times(p.minus(q)),
  JSD: (p, q) => {
    const middle = log(exp(p).plus(exp(q)).over(2));
    return exp(p)
      .times(p.minus(middle))
      .plus(exp(q).times(q.minus(middle)))
      .over(2);
  },
  "Σ(π − π_ref)²": (p, q) => square(exp(p).minus(exp(q))),
};

const { normal } = random(1, 1);
const reference = Float32Array.from({ length: entries }, () => 3 * normal());
const direction = Float32Array.from({ length: entries }, normal);
const batches = distances.map((distance) =>
  fromResponses({
    w: {
      labels: [[7]],
      policy_logits: [reference.map((z, v) => z + distance * direction[v]!)],
      ref_logits: [reference],
    },
  }),
);

const device = await openDevice();
console.log(`${device.line}, ${entries} entries\n`);
console.log(`| divergence | ${distances.map((d) => `${d}: value, gradient`).join(" | ")} |`);
console.log(`| --- | ${distances.map(() => "---").join(" | ")} |`);
for (const [name, term] of Object.entries(divergences)) {
  const own = objective(
    "near",
    ["w"],
    ({ policy, ref, y }: Given<"w">) =>
      mean("batch", mean("token", sum("vocab", term(logPi(policy, y.w), logPi(ref, y.w))))),
    { source: "the sums as they are written" },
  );
  const compiled = compile(own, { device });
  const [slope] = gradient(own.loss, [logitsOf("policy", "w")]);
  const cells: string[] = [];
  for (const batch of batches) {
    const { loss, gradients } = await compiled.valueAndGrad(batch);
    const [right, slopes] = evaluate([own.loss, slope!], batch, {}).map(({ data }) => data);
    const [found] = Object.values(gradients) as readonly Float32Array[];
    const largest = slopes!.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    const off = slopes!.reduce((most, x, v) => Math.max(most, Math.abs(x - found![v]!)), 0);
    const errors = [Math.abs(loss / right![0]! - 1), off / largest];
    cells.push(errors.map((error) => error.toExponential(1)).join(", "));
  }
  console.log(`| ${name} | ${cells.join(" | ")} |`);
}
device.dispose();
