// Prompts as responses of their own: what they are called, what they share with completions (nothing), and that only sums
// are taken along tokens of which there may be none.
import { describe, expect, it } from "vitest";
import { given } from "../../src/dsl/given.ts";
import { count, logSoftmax, logSumExp, max, mean, min, prompt, sum } from "../../src/dsl/index.ts";
import { any, describeMisuses } from "./misuse.ts";

const { policy, y } = given("the test", ["w", "l"]);
const x = prompt(y.w);
const logp = policy.logp(x);

describe("a prompt", () => {
  it("is a response named after its completion, with tokens of its own", () => {
    expect(x.name).toBe("w.prompt");
    expect(logp.axes).toEqual(["batch", "token.w.prompt"]);
    expect(policy.logps(x).axes).toEqual(["batch"]);
    expect(x.count.node).toBe(count("token", x).node);
  });
  it("is the same term wherever it is written", () => {
    expect(policy.logps(prompt(y.w)).node).toBe(policy.logps(x).node);
  });
  it("is summed with its completion per example", () => {
    expect(sum("token", logp).plus(policy.logps(y.w)).axes).toEqual(["batch"]);
  });
});

const noValue = (name: string): RegExp =>
  new RegExp(
    `^${name}: the tokens of "w\\.prompt" may be none in an example, and then there is no ${name}; use sum`,
  );

describeMisuses("prompts", [
  [
    "a prompt of a name",
    "unknown-response",
    /^prompt: the response is the string "w"/,
    () => prompt(any("w")),
  ],
  [
    "a prompt of a prompt",
    "prompt-of-prompt",
    /^prompt: the response "w\.prompt" is itself a prompt; give a completion/,
    () => prompt(x),
  ],
  [
    "tokens of a prompt and of its completion",
    "token-axes-differ",
    /the left side ranges over the tokens of "w\.prompt", the right side over the tokens of "w"|token axes differ/,
    () => logp.minus(any(policy.logp(y.w))),
  ],
  ["the mean over a prompt", "axis-may-be-empty", noValue("mean"), () => mean("token", logp)],
  ["the largest of a prompt", "axis-may-be-empty", noValue("max"), () => max("token", logp)],
  ["the smallest of a prompt", "axis-may-be-empty", noValue("min"), () => min("token", logp)],
  [
    "a sum of exponentials",
    "axis-may-be-empty",
    noValue("logSumExp"),
    () => logSumExp("token", logp),
  ],
  ["a softmax", "axis-may-be-empty", noValue("logSoftmax"), () => logSoftmax("token", logp)],
]);
