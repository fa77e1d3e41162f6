// Slopes at kinks: an emitted file takes the one that prefc's derivative takes, whatever torch's own operator would take.
import { expect, it } from "vitest";
import {
  abs,
  clamp,
  clampedExp,
  exp,
  fromResponses,
  log,
  maximum,
  mean,
  minimum,
  neg,
  objective,
  pow,
  relu,
  sign,
  sort,
  sqrt,
  square,
  where,
  type Expr,
  type Objective,
  type PerExample,
} from "../../src/index.ts";
import { gradient } from "../../src/ad/gradient.ts";
import { compileProgram } from "../../src/pipeline/pipeline.ts";
import { runTorch } from "../../src/conform/torch.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { expand } from "../../src/reference/tensor.ts";
import { emitTorch } from "../../src/torch/emit.ts";
import { shares, spellings } from "../support/kinks.ts";
import { describeTorch } from "./python.ts";

type X = Expr<PerExample>;
const of = (formula: (a: X, b: X) => X): Objective =>
  objective("kink", ["w", "l"], ({ reward, y }) => formula(reward(y.w), reward(y.l)), {
    source: "a kink",
  });
const kinks: Readonly<Record<string, Objective>> = {
  "relu at 0": of((a) => relu(a)),
  "abs at 0": of((a) => abs(a)),
  "sign at 0": of((a) => sign(a).times(a)),
  "maximum of equal numbers": of((a, b) => maximum(a, b)),
  "minimum of equal numbers": of((a, b) => minimum(a, b)),
  "maximum with a constant": of((a) => maximum(a, 0)),
  "clamp at both ends": of((a) => clamp(a, { min: 0, max: 1 })),
  "clamp from below": of((a) => clamp(a, { min: 0 })),
  "clamp at a bound of the data": of((a, b) => clamp(a, { max: b })),
  "a capped exponential at its cap": of((a) => clampedExp(a, 1)),
  "sort of ties": of((a, b) => sort("batch", a).times(b)),
  "the square root of 0 times 0": of((a) => sqrt(abs(a)).times(a)),
  "a deviation of equal numbers": of((a) => sqrt(square(a.minus(mean("batch", a))))),
  "a power of 0": of((a) => pow(abs(a), 0.5).times(a)),
  "a logarithm in a branch that is not taken": of((a) => where(a.gt(0), log(a), a)),
  "an exponential in a branch that is not taken": of((a) =>
    where(a.lt(0.5), exp(a.times(1000)), a),
  ),
  "a mean of kinks": of((a, b) => neg(relu(a.minus(b)))),
};
// the spellings of docs/kinks.md, where x is 0
const page: Readonly<Record<string, Objective>> = Object.fromEntries(
  Object.entries(spellings).map(([name, spelling]) => [
    name,
    objective("kink", ["w", "l"], (g) => spelling(g.reward(g.y.w), g), { source: "a kink" }),
  ]),
);
// each of the first examples lies on the kink of some formula
const rewards = { w: [0, 1, 1, 0, -0.5, 2], l: [0, 1, 2, -1, 0.5, 1] };
const tokens = { labels: [1, 1, 1, 1, 1, 1], lengths: [1, 1, 1, 1, 1, 1] };
const batch = fromResponses(
  { w: { ...tokens, reward: rewards.w }, l: { ...tokens, reward: rewards.l } },
  { vocab_size: 3 },
);

describeTorch("slopes at kinks", (python) => {
  it.each(Object.entries({ ...kinks, ...page }))("%s", async (name, own) => {
    const { loss, inputs } = compileProgram(own);
    const emitted = emitTorch(own, { from: "statistics" });
    await python().load(name, emitted.text);
    const run = await runTorch(python(), emitted, name, loss, batch, {});
    const wanted = inputs.filter(({ datum }) => datum.kind === "reward");
    const right = evaluate([loss, ...gradient(loss, wanted)], batch, {});
    expect(run.loss).toBeCloseTo(right[0]!.data[0]!, 14);
    wanted.forEach((input, position) => {
      const slope = [...expand(right[1 + position]!, ["batch"], batch).data];
      const got = [...run.gradients.get(input)!.data];
      // the first example has the reward 0
      if (name in page && input.datum.kind === "reward" && input.datum.response === "w")
        expect(got[0]! * batch.examples).toBeCloseTo(shares.get(name)!, 14);
      slope.forEach((value, example) => {
        // where prefc's slope is infinite, no step could be taken
        if (Number.isFinite(value))
          expect(got[example], `example ${example}`).toBeCloseTo(value, 14);
      });
    });
  });
});
