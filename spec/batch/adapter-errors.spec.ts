// What callers may get wrong when they bring a batch: one test each, with the code and the words that point at it.
import { describe, it } from "vitest";
import { fromPacked, type PackedBatch } from "../../src/batch/packed.ts";
import type { ResponseData } from "../../src/batch/response-data.ts";
import { fromResponses } from "../../src/batch/separate.ts";
import { fromTrl, type TrlBatch } from "../../src/batch/trl.ts";
import { flatten, indices, reals } from "../../src/batch/numbers.ts";
import { expectError } from "../support/checks.ts";

const trl: TrlBatch = {
  input_ids: [
    [0, 1, 1],
    [0, 1, 0],
  ],
  completion_mask: [
    [0, 1, 0],
    [0, 1, 1],
  ],
  policy_logits: new Float32Array(12),
};
const buffer = { size: 48, mapAsync: () => Promise.resolve() } as unknown as GPUBuffer;
const wrongTrl = (
  change: Readonly<Record<string, unknown>>,
  code: string,
  ...messages: readonly RegExp[]
): void => expectError(() => fromTrl({ ...trl, ...change }), code, ...messages);

describe("TRL's layout", () => {
  it("needs a shape where nesting does not show it", () => {
    wrongTrl(
      { input_ids: [0, 1, 1, 0, 1, 0], completion_mask: [0, 1, 0, 0, 1, 1] },
      "shape-needed",
      /shape: \[rows, length, vocabulary\], of which a vocabulary size alone is not enough/,
    );
  });

  it("must have the shape that is given", () => {
    wrongTrl({ shape: [2, 4, 2] }, "shape-mismatch", /2 × 3/, /2 × 4/);
    wrongTrl({ input_ids: [0, 1], shape: [2, 3, 2] }, "shape-mismatch", /2 entries/);
  });

  it("has an even number of rows, chosen and rejected", () => {
    const odd = {
      input_ids: [[0, 1]],
      completion_mask: [[0, 1]],
      policy_logits: new Float32Array(4),
    };
    wrongTrl(odd, "sequences-uneven", /1 sequences/, /"w", "l"/);
  });

  it("has rows at all", () => {
    wrongTrl(
      { input_ids: [], completion_mask: [], shape: [0, 3, 2] },
      "empty-batch",
      /no sequences/,
    );
  });

  it("has a mask of the same size, of zeros and ones", () => {
    wrongTrl({ completion_mask: [[0, 1, 0]] }, "mask-length", /3 entries for 6 token ids/);
    wrongTrl(
      {
        completion_mask: [
          [0, 1, 2],
          [0, 1, 0],
        ],
      },
      "mask-value",
      /2 at position 2/,
    );
  });

  it("has a completion in every row", () => {
    wrongTrl(
      {
        completion_mask: [
          [0, 1, 0],
          [1, 0, 0],
        ],
      },
      "empty-completion",
      /Example 0 /,
      /"l"/,
    );
  });

  it("has completion tokens within the vocabulary, and none that is negative", () => {
    wrongTrl(
      {
        input_ids: [
          [0, 2, 1],
          [0, 1, 0],
        ],
      },
      "label-out-of-range",
      /Token 0 of example 0/,
      /"w"/,
      /label 2/,
    );
    wrongTrl(
      {
        input_ids: [
          [0, 1, 1],
          [0, 1, -7],
        ],
      },
      "label-out-of-range",
      /Token 1 of example 0/,
      /"l"/,
      /-7/,
    );
    wrongTrl(
      {
        input_ids: [
          [0, 0.5, 1],
          [0, 1, 0],
        ],
      },
      "label-out-of-range",
      /0\.5/,
    );
  });

  it("has all rows of the logits", () => {
    wrongTrl({ policy_logits: new Float32Array(13) }, "logits-length", /13 numbers/, /6 rows/);
    wrongTrl(
      { policy_logits: new Float32Array(7), shape: [2, 3, 2] },
      "logits-too-small",
      /7 numbers/,
      /12/,
    );
    wrongTrl({ ref_logits: new Float32Array(6) }, "logits-too-small", /ref_logits/);
    wrongTrl({ policy_logits: buffer, shape: [2, 3, 4] }, "logits-too-small", /48 bytes/);
  });

  it("needs the vocabulary size of a GPU buffer", () => {
    wrongTrl({ policy_logits: buffer }, "vocabulary-needed", /GPU buffer/);
  });

  it("has logits that are 32-bit or 64-bit floats", () => {
    wrongTrl(
      { policy_logits: new Uint16Array(12) },
      "logits-dtype",
      /policy_logits/,
      /Uint16Array/,
      /dtype: "bf16" or "f16"/,
    );
    wrongTrl(
      { policy_logits: { data: new Float32Array(12), dtype: "bf16" } },
      "logits-dtype",
      /Float32Array/,
      /raw bits in a Uint16Array/,
    );
    wrongTrl(
      { policy_logits: { data: new Uint16Array(12), dtype: "f8" as "f16" } },
      "unknown-dtype",
      /policy_logits/,
      /"f8"/,
    );
    wrongTrl({ policy_logits: new Int32Array(12) }, "logits-dtype", /Int32Array/);
    wrongTrl({ policy_logits: undefined }, "logits-dtype", /undefined/);
  });

  it("has one vocabulary", () => {
    const nested = [
      [
        [1, 2],
        [1, 2],
        [1, 2],
      ],
      [
        [1, 2],
        [1, 2],
        [1, 2],
      ],
    ];
    wrongTrl(
      { policy_logits: nested, shape: [2, 3, 5] },
      "vocabulary-differs",
      /rows of 2/,
      /5 entries/,
    );
  });

  it("has one number per example in what accompanies it, for responses that exist", () => {
    wrongTrl(
      { ref_logps: { chosen: [1, 2] } },
      "input-length",
      /"ref.logps.w"/,
      /2 values for 1 examples/,
    );
    wrongTrl({ ref_logps: { accepted: [1] } }, "missing-response", /"accepted"/, /"w", "l"/);
    wrongTrl({ examples: { margin: [] } }, "input-length", /"example.margin"/);
  });
});

const packed: PackedBatch = {
  input_ids: [0, 1, 0, 1, 1],
  completion_mask: [0, 1, 0, 1, 1],
  cu_seqlens: [0, 2, 5],
  policy_logits: new Float32Array(10),
};
const wrongPacked = (
  change: Readonly<Record<string, unknown>>,
  code: string,
  ...messages: readonly RegExp[]
): void => expectError(() => fromPacked({ ...packed, ...change }), code, ...messages);

describe("the packed layout", () => {
  it("has cumulative lengths from 0, ascending, to the number of tokens", () => {
    wrongPacked({ cu_seqlens: [1, 2, 5] }, "offsets-start", /starts at 1/);
    wrongPacked({ cu_seqlens: [0, 6, 5] }, "offsets-not-ascending", /from 6 to 5 at sequence 1/);
    wrongPacked({ cu_seqlens: [0, 2, 4] }, "offsets-length", /ends at 4/, /5 token ids/);
    wrongPacked({ cu_seqlens: [0, -2, 5] }, "not-an-index", /cu_seqlens/, /-2/);
  });

  it("has as many sequences of each response", () => {
    wrongPacked({ cu_seqlens: [0, 5] }, "sequences-uneven", /1 sequences/);
  });
});

const wrongResponse = (data: unknown, code: string, ...messages: readonly RegExp[]): void =>
  expectError(() => fromResponses({ w: data as ResponseData }), code, ...messages);

describe("responses that come apart", () => {
  it("need lengths where labels are one list", () => {
    wrongResponse({ labels: [1, 0], policy_logits: new Float32Array(4) }, "lengths-needed", /"w"/);
  });

  it("have labels that are whole numbers from 0", () => {
    wrongResponse({ labels: [[1, -1]] }, "label-out-of-range", /w\.labels/, /-1 at position 1/);
    wrongResponse({ labels: [[2 ** 40]] }, "label-out-of-range");
  });

  it("need a vocabulary size when no logits are there, or when rows are picked", () => {
    wrongResponse({ labels: [[1]], policy_logps: [1] }, "vocabulary-needed", /No response/);
    wrongResponse(
      { labels: [[1]], rows: [1], policy_logits: new Float32Array(4) },
      "vocabulary-needed",
      /w\.policy_logits/,
    );
  });

  it("have one vocabulary", () => {
    const responses = {
      w: { labels: [[1]], policy_logits: [[1, 2]] },
      l: { labels: [[1]], policy_logits: [[1, 2, 3]] },
    };
    expectError(
      () => fromResponses(responses),
      "vocabulary-differs",
      /l\.policy_logits/,
      /rows of 3/,
    );
  });

  it("have as many examples as each other, and some", () => {
    const responses = {
      w: { labels: [[1]], policy_logits: [[1, 2]] },
      l: {
        labels: [[1], [1]],
        policy_logits: [
          [1, 2],
          [1, 2],
        ],
      },
    };
    expectError(() => fromResponses(responses), "offsets-length", /"l"/, /for 1 examples/);
    expectError(() => fromResponses({}, { vocab_size: 2 }), "empty-batch");
  });

  it("that share logits say which rows are theirs, and rows that exist", () => {
    const inBuffer = { labels: [[1]], policy_logits: buffer };
    expectError(
      () => fromResponses({ w: inBuffer, l: inBuffer }, { vocab_size: 2 }),
      "rows-needed",
      /"w" and "l"/,
    );
    const response = { labels: [[1]], policy_logits: new Float32Array(4) };
    const far = { w: { ...response, rows: [2] } };
    expectError(() => fromResponses(far, { vocab_size: 2 }), "row-out-of-range", /row 2/);
    const negative = { w: { ...response, rows: [-1] } };
    expectError(() => fromResponses(negative, { vocab_size: 2 }), "row-out-of-range", /-1/);
  });
});

describe("numbers", () => {
  it("come in arrays", () => {
    for (const value of ["12", 3, null, undefined, new Set([1])]) {
      expectError(() => reals(value as unknown as number[], "values"), "not-an-array", /values/);
    }
  });

  it("are numbers", () => {
    expectError(
      () => reals(["1"] as unknown as number[], "values"),
      "not-a-number",
      /string at position 0/,
    );
  });

  it("are nested evenly", () => {
    expectError(
      () => flatten([[1, 2], [3]], "logits"),
      "nesting-uneven",
      /logits\[1\] has 1 entries/,
      /began with 2/,
    );
    const mixed = [[1], 2] as unknown as number[][];
    expectError(() => flatten(mixed, "logits"), "nesting-uneven", /logits\[1\] has no array/);
  });

  it("are flat where one list is wanted", () => {
    expectError(
      () => reals([[1], [2]] as unknown as number[], "values"),
      "not-flat",
      /nested 2 deep/,
    );
  });

  it("are whole and not negative where they are indices", () => {
    for (const value of [-1, 0.5, NaN, 2 ** 32]) {
      expectError(() => indices([0, value], "rows"), "not-an-index", /position 1/);
    }
  });
});
