// Provokes the errors of batches, parameters and values.
import type { ResponseData } from "../../../src/batch/response-data.ts";
import { checkBatch } from "../../../src/batch/check.ts";
import { reals } from "../../../src/batch/numbers.ts";
import { at, constant, input } from "../../../src/core/build.ts";
import type { batches as rows } from "../../../src/core/errors/batches.ts";
import type { layouts } from "../../../src/core/errors/layouts.ts";
import {
  exampleInput,
  idsOf,
  logitsOf,
  logpFromLogits,
  logpsInput,
} from "../../../src/core/inputs.ts";
import {
  adoptDevice,
  builtIn,
  compile,
  dpo,
  evaluate,
  fromPacked,
  fromResponses,
  fromTrl,
  fromUnpaired,
  list,
  max,
  objective,
  param,
  parseJson,
  state,
  variance,
  type Batch,
  type Objective,
} from "../../../src/index.ts";
import { statusWords, wordAt } from "../../../src/kernel/status.ts";
import { centralDifference } from "../../../src/reference/differences.ts";
import { refuseBadLogits } from "../../../src/runtime/run/faults.ts";
import { newNullDevice } from "./devices.ts";
import { any, type Provocations } from "./provocations.ts";

const trl = {
  input_ids: [
    [0, 1, 1],
    [0, 1, 0],
  ],
  completion_mask: [
    [0, 1, 0],
    [0, 1, 1],
  ],
  policy_logits: new Float32Array(12),
  ref_logits: new Float32Array(12),
};
const packed = { ...trl, input_ids: [0, 1, 0, 1, 1], completion_mask: [0, 1, 0, 1, 1] };
const unpaired = { ...trl, label: [true, false] };
const right = fromTrl(trl);
const needed = [logitsOf("policy", "w"), idsOf("w")];
const buffer = any({ size: 48, mapAsync: () => Promise.resolve() }) as GPUBuffer;

const fromLists = (y: ResponseData): Batch => fromResponses({ y }, { vocab_size: 2 });
const fromTrlWith = (change: object): Batch => fromTrl({ ...trl, ...change });
const checked = (change: object): void => checkBatch({ ...right, ...change }, needed);
const withTokens = (change: object): void =>
  checked({ responses: { ...right.responses, w: { ...right.responses["w"], ...change } } });
const withLogits = (change: object): void =>
  checked({
    inputs: {
      ...right.inputs,
      "policy.logits.w": { ...right.inputs["policy.logits.w"], ...change },
    },
  });
const withInput = (name: string, binding: object): Batch => ({
  ...right,
  inputs: { [name]: any(binding) },
});
const mine = (formula: Parameters<typeof objective<"w" | "l">>[2]): Objective =>
  objective("mine", ["w", "l"], formula, { source: "an example" });
const interpreted = (own: Objective, batch: Batch = right): unknown =>
  evaluate([own.loss], batch, {});
/** A run on a device that executes nothing; what is wrong is found before. */
const ran = async (own: Objective, batch: Batch, options: object = {}): Promise<unknown> =>
  await compile(own, { device: await adoptDevice(await newNullDevice()) }).value(batch, options);
const scaled = mine(({ policy, y }) => policy.logps(y.w).times(param("scale")));
const moving = mine(({ policy, y }) => {
  const [mean, seen] = [state("mean", 0), state("seen", 0)];
  const loss = policy.logps(y.w).minus(mean).minus(seen);
  return { loss, next: { mean: mean.plus(1), seen: seen.plus(1) } };
});

export const batches: Provocations<typeof rows & typeof layouts> = {
  "json-malformed": () => parseJson('{"input_ids": [0, 1', "batch.json"),
  "json-key-twice": () => parseJson('{"label": [1], "label": [0]}', "batch.json"),
  "json-too-deep": () => parseJson("[".repeat(100), "batch.json"),
  "not-a-batch": () => evaluate([dpo().loss], any(null), {}),
  "unknown-field": () => fromTrlWith({ policy_logit: new Float32Array(12) }),
  "empty-batch": () => fromTrlWith({ input_ids: [], completion_mask: [], shape: [0, 3, 2] }),
  "empty-completion": () =>
    fromTrlWith({
      completion_mask: [
        [0, 1, 0],
        [1, 0, 0],
      ],
    }),
  "empty-list": () => fromLists({ labels: [[[0, 1], [1]], []] }),
  "missing-list": () =>
    evaluate(
      [
        objective("mine", [list("y")], ({ policy, y }) => max("response", policy.logps(y.y)), {
          source: "an example",
        }).loss,
      ],
      right,
      {},
    ),
  "list-uneven": () =>
    fromLists({
      labels: [[[0, 1], [1]], [[1]]],
      reward: [
        [1, 2],
        [1, 2],
      ],
    }),
  "sizes-twice": () => fromLists({ labels: [[[0, 1], [1]], [[1]]], sizes: [2, 1] }),
  "vocabulary-size": () => checked({ vocab: 2.5 }),
  "vocabulary-needed": () => fromTrlWith({ policy_logits: buffer }),
  "vocabulary-differs": () =>
    fromResponses({
      w: { labels: [[1]], policy_logits: [[1, 2]] },
      l: { labels: [[1]], policy_logits: [[1, 2, 3]] },
    }),
  "missing-response": () => fromTrlWith({ ref_logps: { accepted: [1] } }),
  "missing-input": () => interpreted(dpo(), fromTrlWith({ ref_logits: undefined })),
  "input-height": () =>
    checkBatch(withInput("ref.logps.w", { height: "token", values: new Float32Array(1) }), [
      logpsInput("ref", "w"),
    ]),
  "input-axes": () => checkBatch(right, [input("bias", ["vocab"])]),
  "input-dtype": () =>
    checkBatch(withInput("example.margin", { height: "example", values: new Int32Array(1) }), [
      exampleInput("margin"),
    ]),
  "input-length": () => fromTrlWith({ ref_logps: { chosen: [1, 2] } }),
  "input-not-finite": () =>
    interpreted(
      mine(({ example, policy, y }) => policy.logps(y.w).times(example("margin"))),
      fromTrlWith({ examples: { margin: [Number.NaN] } }),
    ),
  "labels-length": () => withTokens({ labels: Uint32Array.of(0, 1) }),
  "label-out-of-range": () =>
    fromTrlWith({
      input_ids: [
        [0, 2, 1],
        [0, 1, 0],
      ],
    }),
  "label-impossible": () =>
    interpreted(dpo(), fromTrlWith({ policy_logits: new Float32Array(12).fill(-Infinity, 0, 2) })),
  "label-not-boolean": () => fromUnpaired({ ...unpaired, label: [1, 0.5] }),
  "label-length": () => fromUnpaired({ ...unpaired, label: [true] }),
  "offsets-length": () => withTokens({ offsets: Uint32Array.of(0, 1, 1) }),
  "offsets-start": () => fromPacked({ ...packed, cu_seqlens: [1, 2, 5] }),
  "offsets-not-ascending": () => fromPacked({ ...packed, cu_seqlens: [0, 6, 5] }),
  "lengths-needed": () =>
    fromResponses({ w: { labels: [1, 0], policy_logits: new Float32Array(4) } }),
  "rows-needed": () => {
    const shared = { labels: [[1]], policy_logits: buffer };
    return fromResponses({ w: shared, l: shared }, { vocab_size: 2 });
  },
  "row-index-length": () => withLogits({ rowIndex: Uint32Array.of(0, 1) }),
  "row-out-of-range": () => withLogits({ rowIndex: Uint32Array.of(9) }),
  "row-used-twice": () => {
    const shared = { labels: [[1]], policy_logits: new Float32Array(4), rows: [1] };
    return ran(
      mine(({ policy, y }) => policy.logps(y.w).minus(policy.logps(y.l))),
      fromResponses({ w: shared, l: shared }, { vocab_size: 2 }),
    );
  },
  "logits-dtype": () => fromTrlWith({ policy_logits: new Uint16Array(12) }),
  "dtype-differs": () => {
    const [labels, policy_logits] = [[[1]], new Float32Array(2)];
    const half = { data: new Uint16Array(2), dtype: "bf16" } as const;
    return ran(
      mine(({ policy, y }) => policy.logps(y.w).minus(policy.logps(y.l))),
      fromResponses({ w: { labels, policy_logits }, l: { labels, policy_logits: half } }),
    );
  },
  "logits-length": () => fromTrlWith({ policy_logits: new Float32Array(13) }),
  "logits-too-small": () => fromTrlWith({ ref_logits: new Float32Array(6) }),
  "logits-not-finite": () =>
    interpreted(dpo(), fromTrlWith({ policy_logits: new Float32Array(12).fill(Number.NaN, 1, 2) })),
  "mask-needed": () => fromTrlWith({ completion_mask: undefined }),
  "logits-shifted": () => fromTrlWith({ policy_logits: new Float32Array(20) }),
  "mask-length": () => fromTrlWith({ completion_mask: [[0, 1, 0]] }),
  "masked-entry-weighted": () =>
    refuseBadLogits(
      any({ line: "an adapter" }),
      any({ batch: right, plan: { models: ["policy"], responses: ["w", "l"] } }),
      any({
        status: Uint32Array.from({ length: statusWords(1) }, (_, word) =>
          word === wordAt(0, "masked-entry-weighted") ? 0xffffffff : 0,
        ),
        stacked: { tokens: 3, bases: [0, 1, 3] },
      }),
      false,
    ),
  "mask-value": () =>
    fromTrlWith({
      completion_mask: [
        [0, 1, 2],
        [0, 1, 0],
      ],
    }),
  "tokens-length": () => fromTrlWith({ tokens: { weight: [[1, 2]] } }),
  "sequences-uneven": () => fromPacked({ ...packed, cu_seqlens: [0, 5] }),
  "shape-needed": () =>
    fromTrlWith({ input_ids: [0, 1, 1, 0, 1, 0], completion_mask: [0, 1, 0, 0, 1, 1] }),
  "shape-mismatch": () => fromTrlWith({ shape: [2, 4, 2] }),
  "not-an-array": () => fromUnpaired({ ...unpaired, label: any(true) }),
  "not-a-number": () => reals(any(["1"]), "label"),
  "not-an-index": () => fromPacked({ ...packed, cu_seqlens: [0, -2, 5] }),
  "not-a-record": () => fromTrl(any([])),
  "names-expected": () => fromTrlWith({ responses: ["w", "w"] }),
  "not-flat": () => fromUnpaired({ ...unpaired, label: any([[1], [0]]) }),
  "nesting-uneven": () => fromTrlWith({ input_ids: [[0, 1, 1], [0]] }),
  "missing-parameter": () => interpreted(scaled),
  "unknown-parameter": () => ran(dpo(), right, { params: { betta: 1 } }),
  "parameter-not-finite": () => param("beta", Number.NaN),
  "parameter-out-of-range": () => evaluate([dpo().loss], right, { beta: -0.1 }),
  "parameter-exceeds-f32": () => ran(dpo(), right, { params: { beta: 1e39 } }),
  "missing-state": () => ran(moving, right, { state: { mean: 2 } }),
  "state-not-finite": () => state("mean", Number.NaN),
  "division-by-zero": () =>
    ran(
      mine(({ policy, y }) => variance("batch", policy.logps(y.w))),
      right,
    ),
  "index-out-of-range": () =>
    evaluate([at(logpFromLogits("policy", "w"), "token.w", constant(7, "i32"))], right, {}),
  "difference-undefined": () => centralDifference(exampleInput("m"), "example.m", right, {}),
  "reference-needs-host-data": () =>
    interpreted(dpo(), fromTrlWith({ policy_logits: buffer, shape: [2, 3, 2] })),
  "parts-missing": () => compile(dpo()).combined([]),
  "loss-not-additive": () =>
    compile(builtIn("aot")).combined([
      any({ loss: 1, metrics: {}, counts: compile(builtIn("aot")).program.averages }),
    ]),
};
