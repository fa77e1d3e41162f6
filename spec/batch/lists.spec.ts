// Batches with lists of responses: how they are given, and what is said of those that do not fit.
import { describe, expect, it } from "vitest";
import { evaluate, fromResponses, type Batch } from "../../src/index.ts";
import { errorOf } from "../support/error.ts";
import { listBatch, plackett } from "../support/lists.ts";

const labels = [[[1, 2], [3]], [[0]]];
const batch = (more: object): Batch => fromResponses({ y: { labels, ...more } }, { vocab_size: 4 });

describe("a batch with lists", () => {
  it("has the responses of each example, and their tokens", () => {
    const { examples, responses } = batch({});
    expect(examples).toBe(2);
    expect([...responses["y[].responses"]!.offsets]).toEqual([0, 2, 3]);
    expect([...responses["y[]"]!.offsets]).toEqual([0, 2, 3, 4]);
    expect([...responses["y[]"]!.labels]).toEqual([1, 2, 3, 0]);
  });

  it("is the same from flat labels with lengths and sizes", () => {
    const flat = fromResponses(
      { y: { labels: [1, 2, 3, 0], lengths: [2, 1, 1], sizes: [2, 1] } },
      { vocab_size: 4 },
    );
    expect(flat).toEqual(batch({}));
  });

  it("takes numbers per response flat or by example", () => {
    const flat = batch({ reward: [1, 2, 3], each: { a: [4, 5, 6] } });
    expect(batch({ reward: [[1, 2], [3]], each: { a: [[4, 5], [6]] } })).toEqual(flat);
    expect([...(flat.inputs["reward.y[]"] as { values: Float64Array }).values]).toEqual([1, 2, 3]);
    expect(Object.keys(flat.inputs)).toEqual(["reward.y[]", "each.a.y[]"]);
  });

  const wrong: readonly (readonly [
    what: string,
    act: () => unknown,
    code: string,
    says: RegExp,
  ])[] = [
    [
      "an example without a response",
      () => fromResponses({ y: { labels: [[[1]], []] } }, { vocab_size: 4 }),
      "empty-list",
      /Example 1 has no response in the list "y"; leave the example out/,
    ],
    [
      "a response without a token",
      () => fromResponses({ y: { labels: [[[1], []], [[2]]] } }, { vocab_size: 4 }),
      "empty-completion",
      /Response 1 has no completion token in the list "y"/,
    ],
    [
      "a response in the place of a list",
      () => fromResponses({ y: { labels: [[[1]], [2]] as never } }, { vocab_size: 4 }),
      "list-uneven",
      /one response for example 1; give a list of responses for each/,
    ],
    [
      "too few numbers of an example",
      () => batch({ reward: [[1], [3]] }),
      "list-uneven",
      /y\.reward has 1 numbers for example 0, which has 2 responses/,
    ],
    [
      "too few numbers",
      () => batch({ reward: [1, 3] }),
      "input-length",
      /has 2 values for 3 responses of the list "y"/,
    ],
    ["sizes of nested labels", () => batch({ sizes: [2, 1] }), "sizes-twice", /leave sizes out/],
    [
      "sizes that do not fit",
      () =>
        fromResponses({ y: { labels: [1, 2], lengths: [1, 1], sizes: [3] } }, { vocab_size: 4 }),
      "offsets-length",
      /"y" has 3 offsets for 3 responses/,
    ],
    [
      "a label outside the vocabulary",
      () => fromResponses({ y: { labels: [[[1], [9]]] } }, { vocab_size: 4 }),
      "label-out-of-range",
      /Token 0 of response 1 in response "y" has label 9/,
    ],
    [
      "single responses for an objective of lists",
      () =>
        evaluate([plackett.loss], fromResponses({ y: { labels: [[1]] } }, { vocab_size: 4 }), {}),
      "missing-list",
      /reads the list of responses "y".*labels: \[\[\[5, 2\], \[7\]\], \[\[4\]\]\]/,
    ],
    [
      "a number per response of a single response",
      () => fromResponses({ y: { labels: [[1]], each: { a: [1] } } }, { vocab_size: 4 }),
      "response-not-a-list",
      /y\.each\.a is given, but an example has one response "y"/,
    ],
    [
      "an input that the batch does not bring",
      () => evaluate([plackett.loss], { ...listBatch([[1, 2]], 4), inputs: {} }, {}),
      "missing-input",
      /policy\.logits\.y\[\]/,
    ],
  ];
  it.each(wrong)("refuses %s", (_what, act, code, says) => {
    const [found, sentence] = errorOf(act);
    expect([found, sentence]).toEqual([code, expect.stringMatching(says)]);
  });
});
