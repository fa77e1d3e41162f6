// Emitted trainers of a student and its teacher beside TRL's GKDTrainer: on the dataset and on generated completions, in parts, on two
// processes, with an adapter, with a teacher of another width and scale, and what they refuse.
import { beforeAll, describe, expect, it } from "vitest";
import {
  builtIn,
  exp,
  log,
  logSoftmax,
  mean,
  objective,
  square,
  stopGrad,
  sum,
} from "../../src/index.ts";
import { emitTrl } from "../../src/trainers/trl.ts";
import { has, minutes, software, type Versus } from "./software.ts";

const { write, run } = software();

/** A loss of log-probabilities alone, which TRL's own head hands out. */
const gap = objective(
  "gap",
  ["y"],
  ({ policy, teacher, y }) => mean("token", square(policy.logp(y.y).minus(teacher.logp(y.y)))),
  {
    models: ["teacher"],
    source: "a test",
    metrics: ({ policy, teacher, y }) => ({
      gap: stopGrad(mean("token", policy.logp(y.y).minus(teacher.logp(y.y)))),
    }),
  },
);

/** A loss through Σ π² of the student beside a statistic of the teacher alone: two heads of the file's own. */
const sharp = objective(
  "sharp",
  ["y"],
  ({ policy, teacher, y }) => {
    const pi = exp(logSoftmax("vocab", policy.logits(y.y)));
    return mean("token", log(sum("vocab", square(pi))).times(teacher.logp(y.y)));
  },
  { models: ["teacher"], source: "a test" },
);

beforeAll(() => {
  write("jsd", emitTrl(builtIn("gkd"), {}));
  write("forward", emitTrl(builtIn("gkd", { divergence: "forward_kl" }), {}));
  write("reverse", emitTrl(builtIn("gkd", { divergence: "reverse_kl" }), {}));
  write("warm", emitTrl(builtIn("gkd", { temperature: 2 }), {}));
  write("gap", emitTrl(gap, {}));
  write("sharp", emitTrl(sharp, {}));
});

type Against = Versus & { readonly moved: number; readonly rounding: readonly [number, number] };

describe.skipIf(!has("torch, trl, peft"))("a trainer of a student and its teacher", () => {
  it(
    "trains as TRL's own on a dataset, nearer to it than either is to float64",
    async () => {
      const found = await run("trl_distilled.py", ["jsd", "forward", "reverse", "adapter"]);
      for (const name of ["jsd", "forward", "reverse"]) {
        const { parameters, metrics, missing, moved, rounding } = found[name] as Against;
        expect(parameters, name).toBeLessThan(rounding[0]);
        expect(rounding[1], name).toBeLessThan(1.5 * rounding[0]);
        expect(metrics, name).toBeLessThan(1e-6);
        expect(missing, name).toEqual([]);
        expect(moved, name).toBeGreaterThan(1e-2);
      }
      expect(found["adapter"]).toBeLessThan(1e-6);
    },
    10 * minutes,
  );

  it(
    "has loss and gradients of the logits, with a teacher of another scale, a temperature, and statistics of its own",
    async () => {
      const names = ["scaled", "warm", "cold", "gap", "sharp"];
      const found = await run("trl_distilled.py", names);
      for (const name of names) {
        const [loss, gradients] = found[name] as [number, number];
        expect(loss, name).toBeLessThan(1e-6);
        expect(gradients, name).toBeLessThan(2e-6);
      }
    },
    10 * minutes,
  );

  it(
    "averages over the tokens that were generated, logs, evaluates and refuses",
    async () => {
      const found = await run("trl_distilled.py", ["generated", "logged", "refused"]);
      const own = found["generated"] as Record<string, { apart: number; counts: number[] }>;
      for (const name of ["student", "teacher"]) {
        expect(own[name]!.apart, name).toBeLessThan(1e-6);
        expect(own[name]!.counts.length, name).toBeGreaterThan(1);
      }
      const { train, eval: off } = found["logged"] as { train: string[]; eval: number };
      expect(train).toEqual(["gap"]);
      expect(off).toBeLessThan(1e-6);
      expect(found["refused"]).toEqual([
        "beta is 1.0, and gkd takes a number above 0 and below 1.",
        "beta belongs to TRL's own losses, and the loss here is gkd; leave it out.",
        "GkdTrainer needs teacher_model=... and args=GKDConfig(...); give both.",
        "loss_params has 'betta', which gkd does not take; it takes beta.",
        "temperature is 0.0, and gkd takes a number above 0.",
        "GkdTrainer makes no logits to return; evaluate without compute_metrics.",
      ]);
    },
    10 * minutes,
  );

  it.each([1, 2] as const)(
    "steps by the gradient of the whole batch, in parts on processes: %i",
    async (processes) => {
      const found = await run("trl_distilled.py", ["wholes"], processes);
      const { ours, theirs } = found["wholes"] as Record<
        "ours" | "theirs",
        { apart: number; length: number }
      >;
      expect(ours.apart).toBeLessThan(1e-6);
      // TRL divides by the tokens of all processes, and gradients are averaged over them as well
      expect(theirs.length).toBeCloseTo(1 / processes, 5);
    },
    10 * minutes,
  );
});

describe("a trainer of a student and its teacher", () => {
  it.each([
    ["a column", /^emit trl: "own" reads "weight", which TRL's GKDTrainer does not hand out/],
    ["a reference", /^emit trl: "own" reads the model "ref", which TRL's GKDTrainer/],
    ["a statistic of the batch", /^emit trl: "own" couples examples or has state/],
  ] as const)("is refused for %s", (what, sentence) => {
    const own = objective(
      "own",
      ["y"],
      ({ policy, ref, teacher, y, example }) => {
        const each = mean("token", policy.logp(y.y).minus(teacher.logp(y.y)));
        if (what === "a column") return each.times(example("weight"));
        if (what === "a reference") return each.minus(ref.logps(y.y));
        return square(each.minus(mean("batch", each)));
      },
      { models: ["teacher"], source: "a test" },
    );
    expect(() => emitTrl(own, {})).toThrow(sentence);
  });
});
