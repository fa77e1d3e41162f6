// Emitted trainers of sampled completions beside TRL's GRPOTrainer and RLOOTrainer, on one process and on two, and what they refuse.
import { beforeAll, describe, expect, it } from "vitest";
import { builtIn, exp, logSoftmax, mean, objective, sum } from "../../src/index.ts";
import { emitTrl } from "../../src/trainers/trl.ts";
import { has, minutes, software, type Versus } from "./software.ts";

const { write, run } = software();

beforeAll(() => {
  const grpo = (options: Parameters<typeof builtIn>[1]): ReturnType<typeof emitTrl> =>
    emitTrl(builtIn("grpo", options), {});
  write("grpo", grpo({ loss_type: "grpo" }));
  write("dapo", grpo({}));
  write("divergence", grpo({ loss_type: "dr_grpo", beta: 0.04 }));
  write("gspo", grpo({ loss_type: "grpo", importance_sampling_level: "sequence" }));
  write("given", grpo({ normaliser: "given" }));
  write("rloo", emitTrl(builtIn("rloo"), {}));
});

/** Averages of extremes of completions, which no function of a batch returns. */
const extremes = ["clip_ratio/low_min", "clip_ratio/high_max"];
const same = (found: unknown, most: number): void => {
  const { parameters, metrics, missing, moved } = found as Versus & { readonly moved: number };
  expect(parameters).toBeLessThanOrEqual(most);
  expect(metrics).toBeLessThan(1e-5);
  expect(missing.filter((one) => !extremes.includes(one))).toEqual([]);
  expect(moved).toBeGreaterThan(1e-3);
};

describe.skipIf(!has("torch, trl"))("a trainer of sampled completions", () => {
  it(
    "trains as TRL's own, to the last bit but where a product is rounded in another place, and refuses",
    async () => {
      const found = await run("trl_sampled.py", []);
      for (const name of ["grpo", "dapo", "rloo"]) same(found[name], 0);
      // the divergence is one exponential less a product, and GSPO's average a quotient of sums over the whole step
      for (const name of ["divergence", "gspo"]) same(found[name], 1e-6);
      expect(found["refused"]).toEqual([
        "loss_type belongs to TRL's own losses, and the loss here is grpo; leave it out.",
        "beta belongs to TRL's own losses, and the loss here is grpo; leave it out.",
        "epsilon_high belongs to TRL's own losses, and the loss here is grpo; leave it out.",
        "grpo reads the reference, which TRL has where beta is not 0; set beta.",
        "num_items_in_batch has no default; give loss_params={'num_items_in_batch': ...}.",
      ]);
    },
    10 * minutes,
  );

  it(
    "does so on two processes",
    async () => {
      const found = await run("trl_sampled.py", ["grpo", "dapo", "rloo"], 2);
      for (const name of ["grpo", "dapo", "rloo"]) same(found[name], 0);
    },
    10 * minutes,
  );
});

describe("a trainer of sampled completions", () => {
  it.each([
    ["a column", /reads "weight", which TRL's GRPOTrainer does not hand out/],
    ["the divergence of whole rows", /needs kl of policy and ref, which/],
    ["a teacher", /reads the model "teacher", which/],
  ] as const)("is refused for %s", (what, sentence) => {
    const own = objective(
      "own",
      ["y"],
      ({ policy, ref, teacher, y, example }) => {
        const loss = mean("token", policy.logp(y.y)).times(example("advantages"));
        if (what === "a column") return loss.times(example("weight"));
        if (what === "a teacher") return loss.minus(teacher.logps(y.y));
        const [p, r] = [policy, ref].map((m) => logSoftmax("vocab", m.logits(y.y)));
        return loss.plus(mean("token", sum("vocab", exp(p!).times(p!.minus(r!)))));
      },
      { models: ["teacher"], source: "a test" },
    );
    expect(() => emitTrl(own, {})).toThrow(sentence);
  });
});
