// Provokes the errors of objectives and of their options.
import type { objectives as rows } from "../../../src/core/errors/objectives.ts";
import { given } from "../../../src/dsl/given.ts";
import {
  aot,
  builtIn,
  compile,
  dpo,
  exp,
  logRatio,
  mix,
  objective,
  param,
  prompt,
  referenceFree,
  sampled,
  sft,
  state,
  sum,
  trlDpo,
  withLabelSmoothing,
  withWeighting,
  type ObjectiveOf,
} from "../../../src/index.ts";
import { any, type Provocations } from "./provocations.ts";

const about = { source: "an example" };
const g = given("an example", ["w", "l"]);
const logps = g.policy.logps(g.y.w);
const running = state("mean", 0.5);
const returning = (value: unknown): unknown =>
  objective(
    "mine",
    ["w", "l"],
    any(() => value),
    about,
  );
const counting = (step: number): ObjectiveOf<"w" | "l"> =>
  objective(
    "counting",
    ["w", "l"],
    () => ({ loss: logps.plus(state("seen", 0)), next: { seen: state("seen", 0).plus(step) } }),
    about,
  );

const sumOfExponentials = (count: number): ObjectiveOf<"w"> =>
  objective(
    "exponentials",
    ["w"],
    ({ policy, y }) => {
      const z = policy.logits(y.w);
      const terms = Array.from({ length: count }, (_, n) => exp(z.times((n + 1) / 100)));
      return sum(
        "token",
        sum(
          "vocab",
          terms.reduce((total, term) => total.plus(term)),
        ),
      );
    },
    about,
  );

export const objectives: Provocations<typeof rows> = {
  "name-not-a-string": () => param(any(undefined)),
  "name-empty": () => param(""),
  "name-too-long": () => param("b".repeat(300)),
  "name-of-two": () =>
    returning({ loss: logps.minus(running).minus(param("mean")), next: { mean: running } }),
  "formula-not-a-function": () => objective("mine", ["w"], any(logps), about),
  "source-missing": () => objective("mine", ["w"], () => logps, any(undefined)),
  "responses-not-a-list": () => objective("mine", any("wl"), () => logps, about),
  "responses-missing": () => objective("mine", [], () => logps, about),
  "response-twice": () => objective("mine", ["w", "w"], () => logps, about),
  "unknown-response": () =>
    objective("mine", ["w", "l"], ({ policy, y }) => policy.logps(y["kl" as "w"]), about),
  "models-not-a-list": () =>
    objective("mine", ["w"], (given) => given.policy.logps(given.y.w), {
      ...about,
      models: any("teacher"),
    }),
  "model-name": () =>
    objective("mine", ["w"], (given) => given.policy.logps(given.y.w), {
      ...about,
      models: ["my teacher"],
    }),
  "unknown-model": () =>
    objective(
      "mine",
      ["w"],
      (given) => (given as unknown as { techer: typeof given.ref }).techer.logps(given.y.w),
      {
        ...about,
        models: ["teacher"],
      },
    ),
  "input-declared-twice": () =>
    objective(
      "mine",
      ["w"],
      ({ example }) =>
        example("advantage", { from: -2, to: 2 }).times(example("advantage", { kind: "real" })),
      about,
    ),
  "prompt-of-prompt": () => prompt(prompt(g.y.w)),
  "returns-nothing": () => returning(undefined),
  "axis-left-over": () => returning(g.policy.logp(g.y.w)),
  "metrics-not-a-record": () => returning({ loss: logps, metrics: [logps] }),
  "metric-name-reserved": () => returning({ loss: logps, metrics: { loss: logps } }),
  "next-not-a-record": () => returning({ loss: logps, next: [running] }),
  "state-without-next": () => returning(logps.minus(running)),
  "state-per-example": () =>
    returning({ loss: logps.minus(running), next: { mean: running.plus(logps) } }),
  "unknown-state": () =>
    returning({ loss: logps.minus(running), next: { mean: running, maen: running } }),
  "input-names-collide": () =>
    objective(
      "mine",
      ["c", "b.c"],
      ({ tokens, y }) => sum("token", tokens("a.b", y.c)).plus(sum("token", tokens("a", y["b.c"]))),
      about,
    ),
  "parameter-defaults-differ": () =>
    returning(logps.times(param("beta", 0.1)).plus(param("beta", 0.2))),
  "state-defaults-differ": () =>
    returning({ loss: logps.minus(running), next: { mean: state("mean", 0) } }),
  "reference-free-logits": () =>
    referenceFree(
      objective("mine", ["w"], ({ ref, y }) => sum("token", sum("vocab", ref.logits(y.w))), about),
    ),
  "argument-kind": () => logRatio(any(undefined), any(undefined)),
  "not-an-objective": () => compile(any(dpo)),
  "unknown-objective": () => builtIn("dop"),
  "unknown-option": () => builtIn("dpo", { bta: 1 }),
  "option-value": () => dpo({ beta: 0 }),
  "option-does-not-apply": () => trlDpo({ label_smoothing: 0.1 }),
  "loss-type": () => trlDpo({ loss_type: any("sigmod") }),
  "loss-weights": () => trlDpo({ loss_type: ["sigmoid", "sft"], loss_weights: [1] }),
  "already-smoothed": () => withLabelSmoothing(0.1)(dpo()),
  "combination-without-effect": () => withLabelSmoothing(0.1)(sft()),
  "weight-of-sorted": () => withWeighting(sampled)(aot()),
  "mix-of-nothing": () => mix({}),
  "mix-part": () => mix(any({ dpo: dpo() })),
  "kernel-too-large": () => compile(sumOfExponentials(300)).plan("value", 1000),
  "states-differ": () => mix({ a: [counting(1), 1], b: [counting(2), 1] }),
};
