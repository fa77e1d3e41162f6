// Every structural mistake in a batch ends in one sentence that says where it is. One test each, from a batch that is
// right, with one thing broken.
import { describe, expect, it } from "vitest";
import { input } from "../../src/core/build.ts";
import { exampleInput, idsOf, logitsOf, logpsInput, tokenInput } from "../../src/core/inputs.ts";
import type { Batch, Binding, LogitsTensor, ResponseTokens } from "../../src/batch/batch.ts";
import { checkBatch } from "../../src/batch/check.ts";
import { checkValues } from "../../src/batch/values.ts";
import { expectError } from "../support/checks.ts";

const right: Batch = {
  examples: 2,
  vocab: 3,
  responses: {
    w: { offsets: Uint32Array.of(0, 2, 3), labels: Uint32Array.of(0, 1, 2) },
    l: { offsets: Uint32Array.of(0, 1, 2), labels: Uint32Array.of(2, 2) },
  },
  inputs: {
    "policy.logits.w": {
      height: "logits",
      tensor: { name: "policy", data: new Float32Array(12), rows: 4 },
      rowIndex: Uint32Array.of(0, 1, 3),
    },
    "ref.logps.w": { height: "example", values: new Float32Array(2) },
    "tokens.u.w": { height: "token", values: new Float64Array(3) },
  },
};
const needed = [logitsOf("policy", "w"), logpsInput("ref", "w"), tokenInput("u", "w"), idsOf("w")];

const withTokens = (change: Partial<ResponseTokens>): Batch => ({
  ...right,
  responses: { ...right.responses, w: { ...right.responses["w"]!, ...change } },
});
const withInput = (name: string, binding: unknown): Batch => ({
  ...right,
  inputs: { ...right.inputs, [name]: binding as Binding },
});
const logits = right.inputs["policy.logits.w"] as Extract<Binding, { height: "logits" }>;
const withTensor = (change: { readonly [K in keyof LogitsTensor]?: unknown }): Batch =>
  withInput("policy.logits.w", { ...logits, tensor: { ...logits.tensor, ...change } });
const without = (name: string): Batch => ({
  ...right,
  inputs: Object.fromEntries(Object.entries(right.inputs).filter(([key]) => key !== name)),
});
const gpuBuffer = (size: number): GPUBuffer =>
  ({ size, mapAsync: () => Promise.resolve() }) as unknown as GPUBuffer;

describe("a batch that is right", () => {
  it("passes, also with its logits in a GPU buffer that may be larger than they are", () => {
    expect(() => checkBatch(right, needed)).not.toThrow();
    expect(() => checkBatch(withTensor({ data: gpuBuffer(4 * 3 * 4) }), needed)).not.toThrow();
    expect(() => checkBatch(withTensor({ data: gpuBuffer(4096) }), needed)).not.toThrow();
  });

  it("may have anything wrong with what is not needed", () => {
    const other = {
      ...right,
      responses: {
        ...right.responses,
        l: { ...right.responses["l"]!, offsets: new Uint32Array(9) },
      },
    };
    expect(() => checkBatch(other, needed)).not.toThrow();
  });
});

describe("the size of a batch", () => {
  it.each([0, -1, 1.5, NaN])("cannot be %d examples", (examples) => {
    expectError(() => checkBatch({ ...right, examples }, needed), "empty-batch", /at least one/);
  });

  it.each([0, 2.5])("cannot be a vocabulary of %d entries", (vocab) => {
    expectError(
      () => checkBatch({ ...right, vocab }, needed),
      "vocabulary-size",
      /width of a logits row/,
    );
  });
});

describe("a response", () => {
  const wrong = (
    change: Partial<ResponseTokens>,
    code: string,
    ...messages: readonly RegExp[]
  ): void => expectError(() => checkBatch(withTokens(change), needed), code, /"w"/, ...messages);

  it("that is needed must be there", () => {
    const nodes = [idsOf("gold")];
    expectError(() => checkBatch(right, nodes), "missing-response", /"gold"/, /"w", "l"/);
    expectError(
      () => checkBatch({ ...right, responses: {} }, nodes),
      "missing-response",
      /no responses/,
    );
  });

  it("has one more offset than examples", () => {
    wrong({ offsets: Uint32Array.of(0, 3) }, "offsets-length", /2 offsets for 2 examples/);
  });

  it("has offsets from 0", () => {
    wrong({ offsets: Uint32Array.of(1, 2, 3) }, "offsets-start", /start at 1/);
  });

  it("has offsets that ascend", () => {
    wrong(
      { offsets: Uint32Array.of(0, 4, 3) },
      "offsets-not-ascending",
      /from 4 to 3 at example 1/,
    );
  });

  it("has no empty completion", () => {
    wrong({ offsets: Uint32Array.of(0, 3, 3) }, "empty-completion", /Example 1 /);
  });

  it("has as many labels as its offsets say", () => {
    wrong({ labels: Uint32Array.of(0, 1) }, "labels-length", /2 labels/, /end at 3/);
  });

  it("has labels within the vocabulary", () => {
    wrong(
      { labels: Uint32Array.of(0, 1, 3) },
      "label-out-of-range",
      /Token 0 of example 1/,
      /label 3/,
      /from 0 to 2/,
    );
  });
});

describe("an input", () => {
  it("that is needed must be there, and the sentence says what to supply", () => {
    const missing = (name: string, ...messages: readonly RegExp[]): void =>
      expectError(
        () => checkBatch(without(name), needed),
        "missing-input",
        new RegExp(`"${name}"`),
        ...messages,
      );
    missing("policy.logits.w", /a row of vocabulary size per token/);
    missing("ref.logps.w", /one number per example/);
    missing("tokens.u.w", /one number per completion token/);
    const misspelt = withInput("example.margin", {
      height: "example",
      values: new Float32Array(2),
    });
    expectError(
      () => checkBatch(misspelt, [exampleInput("margins")]),
      "missing-input",
      /Did you mean "example.margin"/,
    );
  });

  it("does not come from the prototype of an object", () => {
    expectError(
      () => checkBatch(right, [input("toString", ["batch"])]),
      "missing-input",
      /"toString"/,
    );
  });

  it("must be of the height at which it is read", () => {
    const low = withInput("ref.logps.w", { height: "token", values: new Float32Array(3) });
    expectError(
      () => checkBatch(low, needed),
      "input-height",
      /"ref.logps.w"/,
      /per completion token/,
      /per example/,
    );
  });

  it("must be one that a batch can bring", () => {
    expectError(
      () => checkBatch(right, [input("bias", ["vocab"])]),
      "input-axes",
      /"bias"/,
      /vocab/,
    );
  });

  it("must have a value for each example or token", () => {
    const examples = withInput("ref.logps.w", { height: "example", values: new Float32Array(3) });
    expectError(() => checkBatch(examples, needed), "input-length", /3 values for 2 examples/);
    const tokens = withInput("tokens.u.w", { height: "token", values: new Float32Array(2) });
    expectError(
      () => checkBatch(tokens, needed),
      "input-length",
      /2 values for 3 tokens of response "w"/,
    );
  });

  it("must be an array of floats", () => {
    const integers = withInput("ref.logps.w", { height: "example", values: new Int32Array(2) });
    expectError(() => checkBatch(integers, needed), "input-dtype", /Int32Array/);
  });
});

describe("a logits tensor", () => {
  it.each([
    new Int32Array(12),
    new Uint8Array(12),
    new Uint16Array(12),
    [1, 2],
    "logits",
    undefined,
    null,
  ])("cannot live in %o", (data) => {
    const name =
      data === null || data === undefined || typeof data === "string"
        ? typeof data
        : data.constructor.name;
    const batch = withTensor({ data });
    expectError(
      () => checkBatch(batch, needed),
      "logits-dtype",
      /"policy"/,
      new RegExp(data === null ? "null" : name),
    );
  });

  it("must hold all of its rows", () => {
    const small = withTensor({ data: new Float32Array(11) });
    expectError(
      () => checkBatch(small, needed),
      "logits-too-small",
      /holds 11 numbers/,
      /4 rows of 3 need 12/,
    );
    const buffer = withTensor({ data: gpuBuffer(47) });
    expectError(
      () => checkBatch(buffer, needed),
      "logits-too-small",
      /holds 11 numbers \(47 bytes\)/,
    );
  });

  it("must have a row for every token", () => {
    const few = withInput("policy.logits.w", { ...logits, rowIndex: Uint32Array.of(0, 1) });
    expectError(() => checkBatch(few, needed), "row-index-length", /2 rows for the 3 tokens/);
    const far = withInput("policy.logits.w", { ...logits, rowIndex: Uint32Array.of(0, 1, 4) });
    expectError(
      () => checkBatch(far, needed),
      "row-out-of-range",
      /Token 2/,
      /row 4/,
      /from 0 to 3/,
    );
  });
});

describe("the values of a batch", () => {
  const check =
    (batch: Batch): (() => void) =>
    () =>
      checkValues(batch, needed);
  const withLogit = (position: number, value: number): Batch =>
    withTensor({ data: Float32Array.from({ length: 12 }, (_, n) => (n === position ? value : 0)) });

  it.each([NaN, Infinity])("may not be %d among the logits that are read", (value) => {
    expectError(
      check(withLogit(10, value)),
      "logits-not-finite",
      /vocabulary entry 1 of row 3/,
      /token 0 of example 1/,
    );
    // row 2 belongs to no completion token
    expect(check(withLogit(7, value))).not.toThrow();
  });

  it("may be −∞ in a logit, unless it is the label's and labels are read", () => {
    expect(check(withLogit(9, -Infinity))).not.toThrow();
    expectError(
      check(withLogit(11, -Infinity)),
      "label-impossible",
      /row 3/,
      /label itself, 2/,
      /token 0 of example 1/,
    );
    expect(() => checkValues(withLogit(11, -Infinity), [logitsOf("policy", "w")])).not.toThrow();
  });

  it("are not looked at on a GPU", () => {
    expect(check(withTensor({ data: gpuBuffer(48) }))).not.toThrow();
  });

  it.each([NaN, Infinity, -Infinity])("may not be %d per example or token", (value) => {
    const examples = withInput("ref.logps.w", {
      height: "example",
      values: Float32Array.of(0, value),
    });
    expectError(check(examples), "input-not-finite", /"ref.logps.w"/, /example 1/);
    const tokens = withInput("tokens.u.w", {
      height: "token",
      values: Float32Array.of(0, value, 0),
    });
    expectError(
      check(tokens),
      "input-not-finite",
      /"tokens.u.w"/,
      /token 1 of example 0 in response "w"/,
    );
  });
});
