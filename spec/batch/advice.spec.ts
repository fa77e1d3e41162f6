// A batch without a field that the objective reads: every such sentence names the field and how to supply it.
import { describe, it } from "vitest";
import {
  exampleInput,
  idsOf,
  logitsOf,
  logpInput,
  logpsInput,
  rewardInput,
  tokenInput,
} from "../../src/core/inputs.ts";
import { input } from "../../src/core/build.ts";
import type { Node } from "../../src/core/node.ts";
import { checkBatch } from "../../src/batch/check.ts";
import { fromTrl } from "../../src/batch/trl.ts";
import { expectError } from "../support/checks.ts";

const batch = fromTrl({
  input_ids: [
    [0, 1],
    [0, 1],
  ],
  completion_mask: [
    [0, 1],
    [0, 1],
  ],
  policy_logits: new Float32Array(8),
});

const missing: readonly [what: string, node: Node, field: RegExp][] = [
  [
    "a label",
    exampleInput("desirable"),
    /"example\.desirable".*one number per example: give label to fromUnpaired, or give examples: \{ desirable: \[…\] \}/,
  ],
  ["a margin", exampleInput("margin"), /"example\.margin".*give examples: \{ margin: \[…\] \}/],
  ["a name that is no word", exampleInput("win rate"), /give examples: \{ "win rate": \[…\] \}/],
  ["a reward", rewardInput("w"), /"reward\.w".*give rewards: \{ w: \[…\] \}/],
  [
    "token weights",
    tokenInput("weight", "l"),
    /"tokens\.weight\.l".*give tokens: \{ weight: \[…\] \}, as long as input_ids/,
  ],
  ["the reference", logitsOf("ref", "w"), /"ref\.logits\.w".*: give ref_logits/],
  [
    "cached log-probabilities",
    logpsInput("ref", "w"),
    /"ref\.logps\.w".*give ref_logps: \{ w: \[…\] \}/,
  ],
  [
    "cached token log-probabilities",
    logpInput("policy", "l"),
    /"policy\.logp\.l".*give policy_logp with the response "l" to fromResponses/,
  ],
  [
    "an input of another name",
    input("entropy", ["batch"]),
    /"entropy".*bind an input of the name "entropy"/,
  ],
];
const absent: readonly [what: string, response: string, advice: RegExp][] = [
  [
    "mismatched completions",
    "kl",
    /"kl".*give the mismatched completions to fromUnpaired as KL: \{ input_ids/,
  ],
  ["unpaired rows", "y", /"y".*give the rows to fromUnpaired/],
  [
    "a third response",
    "gold",
    /"gold".*give its sequences after the others and name it, e\.g\. responses: \["w", "l", "gold"\]/,
  ],
  ["a prompt", "l.prompt", /"l\.prompt".*give attention_mask beside completion_mask/],
];

describe("a batch without", () => {
  it.each(missing)("%s", (_what, node, field) => {
    expectError(() => checkBatch(batch, [node]), "missing-input", field);
  });
  it.each(absent)("%s", (_what, response, advice) => {
    expectError(() => checkBatch(batch, [idsOf(response)]), "missing-response", advice);
  });
});
