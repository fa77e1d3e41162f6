// Emitted trainers and losses in the software that they are emitted for: TRL's trainer on one process and on two, with a cached
// reference, with an adapter, over a checkpoint; and Tinker's SDK with its own checks. Without Python, TRL or Tinker they are
// skipped, and one line says so.
import { beforeAll, describe, expect, it } from "vitest";
import { builtIn, objective, trlDpo } from "../../src/index.ts";
import { interpreter } from "../../src/python/worker.ts";
import { emitTorch } from "../../src/torch/emit.ts";
import { emitTinker } from "../../src/trainers/tinker.ts";
import { emitTrl } from "../../src/trainers/trl.ts";
import { has, minutes, software, type FoundJson, type Versus } from "./software.ts";

const hasTrl = has("torch, trl, peft");
const hasTinker = has("torch, trl, tinker");
if (!hasTrl || !hasTinker)
  console.warn(
    `emitted trainers are not run: ${interpreter()} has no ${hasTrl ? "tinker" : "trl or peft"}; pip install torch==2.13.0 trl==1.16.0 peft tinker==0.38.0 and set PREFC_PYTHON.`,
  );

const { write, run } = software();

const weighted = objective(
  "weighted",
  ["w", "l"],
  ({ policy, y, example }) => policy.logps(y.l).minus(policy.logps(y.w)).times(example("weight")),
  { source: "a test" },
);

beforeAll(() => {
  write("dpo", emitTrl(builtIn("dpo"), {}));
  write("ipo", emitTrl(builtIn("ipo"), {}));
  write("wpo", emitTrl(builtIn("wpo"), {}));
  write("js", emitTrl(builtIn("trl_dpo", { f_divergence_type: "js_divergence" }), {}));
  write("mix", emitTrl(trlDpo({ loss_type: ["sigmoid", "sft"], loss_weights: [1, 0.5] }), {}));
  write("shifted", emitTrl(builtIn("bco_pair_shifted"), {}));
  write("columns", emitTrl(weighted, {}));
  write("sft", emitTrl(builtIn("sft"), {}));
  write("aot", emitTrl(builtIn("aot"), {}));
  write("aot_logits", emitTorch(builtIn("aot"), { from: "logits" }));
  const live = builtIn("wpo", { stop: false });
  for (const [name, of] of [
    ["tdpo1", builtIn("tdpo1")],
    ["orpo", builtIn("orpo")],
    ["live", live],
  ] as const) {
    write(name, emitTrl(of, {}));
    write(`${name}_logits`, emitTorch(of, { from: "logits" }));
  }
  write("tinker_dpo", emitTinker(builtIn("dpo"), {}));
  write("tinker_sft", emitTinker(builtIn("sft"), {}));
});

const same = (found: FoundJson, name: string): void => {
  const { parameters, metrics, missing } = found[name] as Versus;
  expect(parameters, name).toBe(0);
  expect(metrics, name).toBeLessThan(1e-5);
  expect(missing, name).toEqual([]);
};

describe.skipIf(!hasTrl)("a trainer of TRL", () => {
  it(
    "trains as TRL's own, to the last bit of every parameter, and logs its metrics",
    async () => {
      const names = ["sigmoid", "ipo", "weighting", "mix", "divergence"];
      const found = await run("trl_pairs.py", names);
      for (const name of names) same(found, name);
    },
    10 * minutes,
  );

  it(
    "does so on two processes",
    async () => {
      const found = await run("trl_pairs.py", ["sigmoid", "weighting", "gathered"], 2);
      const { states, sorted } = found["gathered"] as { states: unknown[]; sorted: number };
      expect(states[0]).toEqual(states[1]);
      expect(sorted).toBeLessThan(1e-6);
      same(found, "sigmoid");
      same(found, "weighting");
    },
    10 * minutes,
  );

  it(
    "brings a head of its own, takes a cached reference and an adapter, resumes, evaluates and refuses",
    async () => {
      const names = ["own_head", "cached", "adapter", "resumed", "evaluated", "refused"];
      const found = await run("trl_pairs.py", names);
      for (const [name, off] of Object.entries(found["own_head"] as Record<string, number[]>)) {
        expect(off[0], name).toBeLessThan(1e-5);
        expect(off[1], name).toBeLessThan(1e-5);
      }
      expect(found["cached"]).toBeLessThan(1e-6);
      const adapter = found["adapter"] as Record<string, number>;
      expect(adapter["dpo"]).toBe(0);
      expect(adapter["tdpo1 moves"]).toBeGreaterThan(0);
      const { whole, resumed } = found["resumed"] as Record<string, Record<string, number>>;
      expect(Object.keys(whole!).toSorted()).toEqual(["running_count", "running_mean"]);
      expect(resumed!["running_count"]).toBe(whole!["running_count"]);
      expect(resumed!["running_mean"]).toBeCloseTo(whole!["running_mean"]!, 5);
      expect(found["evaluated"]).toContain("eval_rewards/margins");
      const { said, trained } = found["refused"] as { said: string[]; trained: number };
      expect(said).toEqual([
        "use_weighting belongs to TRL's own losses, and the loss here is wpo; leave it out.",
        "loss_type belongs to TRL's own losses, and the loss here is wpo; leave it out.",
        "loss_params has 'betta', which wpo does not take; it takes beta, label_smoothing.",
        "beta belongs to TRL's own losses, and the loss here is sft; leave it out.",
        "the dataset has no column 'weight', which weighted reads; add it, a number for each pair.",
      ]);
      expect(Number.isFinite(trained)).toBe(true);
    },
    10 * minutes,
  );

  it("is refused for batches that DPOTrainer does not have", () => {
    expect(() => emitTrl(builtIn("tpo"), {})).toThrow(
      /^emit trl: "tpo" reads the responses w, l, gold/,
    );
    expect(() => emitTrl(builtIn("tis-dpo"), {})).toThrow(/for each token or response; emit it/);
  });
});

describe.skipIf(!hasTinker)("a loss of Tinker", () => {
  it(
    "passes the SDK's own checks, trains through the service's contract, and is traced",
    async () => {
      const found = await run("tinker_losses.py", []);
      const [service, direct] = [found["service"] as number[], found["direct"] as number[]];
      service.forEach((loss, step) => expect(loss).toBeCloseTo(direct[step]!, 5));
      expect(service.at(-1)).toBeLessThan(service[0]!);
      expect(found["parameters"]).toBeLessThan(1e-6);
      const [whole, traced] = found["traced"] as number[];
      expect(traced).toBeCloseTo(whole!, 6);
      expect(found["metrics"]).toEqual(["custom/logps/chosen:mean"]);
      expect(found["said"]).toEqual([
        "1 data are no examples of 2; give chosen, rejected of each, in this order.",
        "a datum has no loss_fn_inputs['ref_logprobs'], which dpo reads; add it.",
      ]);
    },
    5 * minutes,
  );

  it("is refused where the loss needs more than log-probabilities", () => {
    expect(() => emitTinker(builtIn("wpo"), {})).toThrow(
      /"wpo" needs log_sum_sq_probs of the policy/,
    );
    expect(() => emitTinker(builtIn("reward"), {})).toThrow(/^emit tinker: "reward" reads/);
  });
});
