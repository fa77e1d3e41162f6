// Emitted trainers of single completions beside TRL's KTOTrainer: on one process and on two, with a cached reference, with an
// adapter, with state over a checkpoint, with a head of the file's own, and what they refuse.
import { beforeAll, describe, expect, it } from "vitest";
import {
  builtIn,
  constant,
  exp,
  log,
  logSoftmax,
  mean,
  objective,
  param,
  relu,
  sigmoid,
  square,
  stopGrad,
  sum,
  where,
} from "../../src/index.ts";
import { emitTorch } from "../../src/torch/emit.ts";
import { emitTrl } from "../../src/trainers/trl.ts";
import { has, minutes, software, type Versus } from "./software.ts";

const { write, run } = software();

/** KTO as TRL writes it, with 1 − σ(x) where the built-in has σ(−x): the same number, rounded in another place. */
const spelled = objective(
  "spelled",
  ["y", "kl"],
  ({ policy, ref, y, flag }) => {
    const [beta, one] = [param("beta", 0.1), constant(1)];
    const h = policy.logps(y.y).minus(ref.logps(y.y));
    const z = stopGrad(relu(mean("batch", policy.logps(y.kl).minus(ref.logps(y.kl)))));
    return where(
      flag("desirable"),
      param("desirable_weight", 1).times(one.minus(sigmoid(beta.times(h.minus(z))))),
      param("undesirable_weight", 1).times(one.minus(sigmoid(beta.times(z.minus(h))))),
    );
  },
  { source: "TRL, trl/trainer/kto_trainer.py" },
);

/** A loss through Σ π², of which TRL's head has no gradient. */
const sharp = objective(
  "sharp",
  ["y"],
  ({ policy, y, flag, example }) => {
    const pi = exp(logSoftmax("vocab", policy.logits(y.y)));
    const each = mean("token", policy.logp(y.y).minus(log(sum("vocab", square(pi)))));
    return where(flag("desirable"), constant(1).minus(each), each).times(example("weight"));
  },
  { source: "a test" },
);

beforeAll(() => {
  write("kto", emitTrl(builtIn("kto"), {}));
  write("spelled", emitTrl(spelled, {}));
  write("apo", emitTrl(builtIn("kto", { loss_type: "apo_zero_unpaired" }), {}));
  write("bco", emitTrl(builtIn("bco"), {}));
  write("sharp", emitTrl(sharp, {}));
  write("sharp_logits", emitTorch(sharp, { from: "logits" }));
});

const close = (found: unknown): void => {
  const { parameters, metrics, missing } = found as Versus;
  expect(parameters).toBeLessThan(5e-6);
  expect(metrics).toBeLessThan(1e-5);
  expect(missing).toEqual([]);
};

describe.skipIf(!has("torch, trl, peft"))("a trainer of single completions", () => {
  it.each([1, 2] as const)(
    "trains as TRL's KTOTrainer on %i processes, to the last bit where it is spelled alike",
    async (processes) => {
      const found = await run("trl_unpaired.py", ["kto", "spelled", "apo", "state"], processes);
      expect((found["spelled"] as Versus).parameters).toBe(0);
      close(found["kto"]);
      close(found["apo"]);
      const { whole, resumed, ranks } = found["state"] as Record<string, Record<string, number>>;
      expect(resumed).toEqual(whole);
      expect(whole!["running_count"]).toBe(16 * processes);
      for (const one of ranks as unknown as readonly unknown[]) expect(one).toEqual(whole);
    },
    10 * minutes,
  );

  it(
    "takes a cached reference and an adapter, brings a head, evaluates and refuses",
    async () => {
      const names = ["cached", "adapter", "own_head", "evaluated", "refused"];
      const found = await run("trl_unpaired.py", names);
      expect(found["cached"]).toBe(0);
      expect(found["adapter"]).toBe(0);
      for (const off of found["own_head"] as number[]) expect(off).toBeLessThan(1e-5);
      expect(found["evaluated"]).toContain("eval_rewards/margins");
      expect(found["refused"]).toEqual([
        "loss_type belongs to TRL's own losses, and the loss here is kto; leave it out.",
        "desirable_weight belongs to TRL's own losses, and the loss here is bco; leave it out.",
        "loss_params has 'betta', which kto does not take; it takes beta, desirable_weight, undesirable_weight.",
        "the dataset has no column 'weight', which sharp reads; add it, a number for each completion.",
      ]);
    },
    10 * minutes,
  );
});

describe("a trainer of single completions", () => {
  it("is refused where completions of other prompts are more than data", () => {
    const live = objective(
      "live",
      ["y", "kl"],
      ({ policy, y, flag }) =>
        where(flag("desirable"), policy.logps(y.y), mean("batch", policy.logps(y.kl))),
      { source: "a test" },
    );
    expect(() => emitTrl(live, {})).toThrow(
      /^emit trl: "live" needs of the response "kl" more than its log-probability as data/,
    );
  });
});
