// Whole plans without a device: every kernel of every built-in objective is run on the host, statement by statement, and what a
// run leaves is within the bounds that an adapter is held to. Rows begin inside vectors, are split, are cut into windows, are
// stored in 16 bits and are written over; nothing of it needs a driver.
import { describe, expect, it } from "vitest";
import { randomBatch } from "../../src/sample/batch.ts";
import { random } from "../../src/sample/random.ts";
import type { StorageType } from "../../src/core/storage.ts";
import { builtIns, compile, dpo, tdpo2, wpo } from "../../src/index.ts";
import type { Batch, CompileOptions, Objective } from "../../src/index.ts";
import { compilePlan } from "../../src/pipeline/pipeline.ts";
import { chooseSchedule, singleEntries, typicalTraits } from "../../src/schedule/schedule.ts";
import { expectAgreement } from "../gpu/agree.ts";
import { seed } from "../seed.ts";
import { runPlan, type HostOptions } from "./plan.ts";

interface Case extends HostOptions {
  readonly schedule?: CompileOptions["schedule"];
  readonly vocab?: number;
  readonly dtype?: StorageType;
  /** Whether buffers end inside a vector, so that entries are read and written one at a time. */
  readonly single?: boolean;
}

/** Runs an objective on the host and compares everything that it leaves with the interpreter. */
function expectOnHost(objective: Objective, given: Case = {}): void {
  const { schedule = {}, vocab = 37, dtype = "f32", single = false, ...options } = given;
  const { program } = compile(objective);
  const size = { examples: 3, tokens: 4, vocab: [vocab, vocab] } as const;
  const batch: Batch = randomBatch(
    { ...program, fewestExamples: 2, dtype },
    size,
    random(seed, vocab),
  );
  const shape = { vocab, rows: 24 };
  const usual = chooseSchedule({ ...typicalTraits, subgroupSize: 4 }, shape, {}, schedule);
  const models = ["policy", "ref", ...(program.source.models ?? [])];
  const storage = Object.fromEntries(models.map((model) => [model, dtype]));
  const { plan } = compilePlan(
    program,
    "valueAndGrad",
    { ...(single ? singleEntries(usual) : usual), storage },
    options.inPlace,
  );
  const { results, status } = runPlan(program, plan, batch, options);
  expect([...status]).toEqual([...status].map(() => 0));
  const told = [...results].filter(([name]) => !name.startsWith("next "));
  expectAgreement(program, batch, {}, new Map(told), "passes");
}

const small = { rowLanes: 4, unroll: 2, programLanes: 8, tokenLanes: 2 } as const;

describe("a run on the host agrees with the interpreter", () => {
  it.each(Object.entries(builtIns))("%s", (_name, { make }) => {
    expectOnHost(make(), { schedule: small });
  });

  const cases: readonly (readonly [string, Case])[] = [
    ["in rows of whole vectors", { schedule: small, vocab: 40 }],
    ["one entry at a time", { schedule: { ...small, vector: 1 } }],
    ["in rows shorter than a vector", { schedule: small, vocab: 3 }],
    ["by more lanes than a row has vectors", { schedule: { rowLanes: 64, programLanes: 16 } }],
    ["with rows that several workgroups share", { schedule: { ...small, split: 3 }, vocab: 130 }],
    ["with rows that share a workgroup", { schedule: { ...small, groupRows: 4, rowLanes: 1 } }],
    ["and whose lanes wait", { schedule: { ...small, groupRows: 4, vector: 1 }, vocab: 9 }],
    ["without subgroups", { schedule: { ...small, combine: "shared", shareMaxima: false } }],
    ["in blocks", { schedule: { ...small, blockLength: 6 } }],
    ["in windows of rows", { schedule: small, maxBinding: 3 * 37 * 4 }],
    ["in bf16", { schedule: small, dtype: "bf16" }],
    ["in bf16, two vectors at a time", { schedule: small, dtype: "bf16", vocab: 136 }],
    ["in f16, one entry at a time", { schedule: small, dtype: "f16", single: true, vocab: 40 }],
    ["in the place of the logits", { schedule: small, inPlace: true }],
  ];
  it.each(cases)("%s", (_what, given) => {
    for (const objective of [dpo(), wpo(), tdpo2()]) expectOnHost(objective, given);
  });
});
