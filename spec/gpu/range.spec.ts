// No number that is not one leaves the GPU unseen, and none that stands for something else: on rows far outside of what
// models give and with parameters from tiny to huge, every built-in objective ends in finite numbers that agree with the
// interpreter, or in an error that says what is out of range.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomBatch } from "../../src/sample/batch.ts";
import { random } from "../../src/sample/random.ts";
import { topological } from "../../src/core/node.ts";
import {
  builtIn,
  builtIns,
  compile,
  fromResponses,
  log,
  log1mExp,
  logRatio,
  logSigmoid,
  neg,
  objective,
  param,
  PrefcError,
  tdpo2,
  type Batch,
  type Compiled,
  type Device,
  type Objective,
  type Params,
  type StorageType,
} from "../../src/index.ts";
import { runs, seed } from "../seed.ts";
import { withDevice } from "../support/device.ts";
import { asSeparate, contentOf, type Content, type Drawn } from "./batches.ts";
import { tolerances } from "./bounds.ts";
import { computed, farthest, interpreted, largest, roots } from "./results.ts";

let device: Device;
withDevice((opened) => {
  device = opened;
});

const largestF32 = 3.4028234663852886e38;
/** What a run may say instead of a result. */
const typed = [
  "value-not-finite",
  "logits-not-finite",
  "label-impossible",
  "masked-entry-weighted",
  "parameter-exceeds-f32",
  "division-by-zero",
  // a factor takes a parameter beyond the range that its option has
  "parameter-out-of-range",
];

type Row = (row: Float32Array, label: number) => void;
const others = (change: (z: number, v: number) => number): Row => {
  return (row, label) => row.forEach((z, v) => v !== label && (row[v] = change(z, v)));
};
/** Rows that no model gives. The same entries are masked in both models. */
const rowKinds: Readonly<Record<string, Row>> = {
  ordinary: () => undefined,
  "thousands apart": (row) => row.forEach((z, v) => (row[v] = 3e3 * z)),
  "as large as 1e25": (row) => row.forEach((z, v) => (row[v] = 1e25 * z)),
  "as large as 1e30": (row) => row.forEach((z, v) => (row[v] = 1e30 * z)),
  "the label far below": (row, label) => (row[label] = -300),
  "the label 16 above": (row, label) => (row[label]! += 16),
  "the label alone": others(() => -Infinity),
  "some masked": others((z, v) => (v % 3 === 0 ? -Infinity : z)),
  "some at the lowest float": others((z, v) => (v % 3 === 0 ? -largestF32 : z)),
  "moved by a million": (row) => row.forEach((z, v) => (row[v] = z + 1e6)),
};
/** Where the label has all but e^-37 of the probability, float64 itself does not know the odds. */
const isCertain = (kind: string): boolean =>
  ["thousands apart", "as large as 1e25", "the label alone"].includes(kind);

interface Case {
  readonly name: string;
  readonly kind: string;
  /** What every parameter is multiplied by. */
  readonly factor: number;
  readonly seed: number;
}

function batchOf({ program }: Compiled, { kind, seed: own }: Case): Batch {
  const batch = randomBatch(program, { examples: 3, tokens: 3, vocab: [1, 9] }, random(own, 0));
  for (const [input, binding] of Object.entries(batch.inputs)) {
    if (binding.height !== "logits") continue;
    const { labels } = batch.responses[input.split(".").slice(2).join(".")]!;
    const data = binding.tensor.data as Float32Array;
    binding.rowIndex.forEach((row, token) =>
      rowKinds[kind]!(data.subarray(row * batch.vocab, (row + 1) * batch.vocab), labels[token]!),
    );
  }
  return batch;
}

/** The interpreter's results, or null where it has none that it can vouch for. */
function truthOf({ program }: Compiled, batch: Batch, params: Params, kind: string) {
  const nodes = topological(roots(program));
  const isUnsure = nodes.some(
    (node) =>
      node.tag === "sort" || (node.tag === "unary" && node.op === "log1mExp" && isCertain(kind)),
  );
  if (isUnsure) return null;
  try {
    const right = interpreted(program, batch, params);
    return [...right.values()].every((values) => largest(values) < Infinity) ? right : null;
  } catch (error) {
    if (error instanceof PrefcError && error.code === "undefined-value") return null;
    throw error;
  }
}

async function holds(given: Case): Promise<void> {
  const compiled = compile(builtIn(given.name), { device, metrics: false });
  try {
    const { program } = compiled;
    const batch = batchOf(compiled, given);
    const params = Object.fromEntries(
      program.params.flatMap(({ kind, name, initial }) =>
        kind === "param" && initial !== undefined ? [[name, initial * given.factor]] : [],
      ),
    );
    let actual: ReturnType<typeof computed>;
    try {
      actual = computed(await compiled.valueAndGrad(batch, { params, perExample: true }));
    } catch (error) {
      const isUsual = given.kind === "ordinary" && given.factor === 1;
      if (!(error instanceof PrefcError) || isUsual) throw error;
      expect(typed, error.message).toContain(error.code);
      return;
    }
    for (const [key, values] of actual)
      expect(
        Array.from(values).filter((value) => !Number.isFinite(value)),
        key,
      ).toEqual([]);
    const right = truthOf(compiled, batch, params, given.kind);
    if (right === null) return;
    const allowed = tolerances(program, batch, params, right, "passes");
    for (const [key, values] of right)
      expect(farthest(actual.get(key)!, values), key).toBeLessThanOrEqual(allowed.get(key)!);
  } finally {
    compiled.dispose();
  }
}

describe("every built-in objective on rows that no model gives", () => {
  it("gives finite numbers that agree with the interpreter, or a typed error", async () => {
    const cases: fc.Arbitrary<Case> = fc.record({
      name: fc.constantFrom(...Object.keys(builtIns)),
      kind: fc.constantFrom(...Object.keys(rowKinds)),
      factor: fc.constantFrom(1, 1, 1e-30, 1e-4, 1e4, 1e30),
      seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    });
    await fc.assert(fc.asyncProperty(cases, holds), { seed, numRuns: runs ?? 12 });
  }, 600_000);
});

describe("odds of a response that is nearly certain", () => {
  // −log σ(log odds of w − log odds of l), 1/2 and e^lift/2, is log(1 + e^lift); float64's 1 − π has lost it from 34 on
  it.each([16, 30, 34, 60])("are exact where 1 − π cancels, at a logit of %i", async (lift) => {
    const odds = objective(
      "odds",
      ["w", "l"],
      ({ policy, y }) => {
        const [w, l] = [policy.logps(y.w), policy.logps(y.l)];
        return neg(logSigmoid(w.minus(l).minus(log1mExp(w).minus(log1mExp(l)))));
      },
      { source: "Hong et al. 2024, arXiv 2403.07691, equation 7" },
    );
    const only = (z: number) => ({
      labels: [0],
      lengths: [1],
      policy_logits: Float32Array.of(z, 0, 0),
    });
    const compiled = compile(odds, { device, metrics: false });
    const { loss } = await compiled.valueAndGrad(fromResponses({ w: only(0), l: only(lift) }));
    // log(s) with s − 1 = 2e^-lift is good to 2^-21 of itself, WGSL's bound for log, on both sides of the difference
    expect(Math.abs(loss - Math.log1p(Math.exp(lift)))).toBeLessThanOrEqual(2 ** -20 * lift);
    compiled.dispose();
  });
});

const drawn: Drawn = {
  examples: 2,
  vocab: 10,
  lengths: { w: [2, 3], l: [3, 1] },
  scale: "normal",
  masked: false,
  seed: 11,
};
const content = contentOf(drawn);
const withRow = (key: string, change: (row: Float32Array, label: number) => void): Content => {
  const [row, ...rest] = content.rows[key]!;
  const copy = row!.slice();
  change(copy, content.labels[key.split(".")[1]!]!.flat()[0]!);
  return { ...content, rows: { ...content.rows, [key]: [copy, ...rest] } };
};
const codeOf = async (given: Objective, batch: Batch): Promise<string> => {
  const compiled = compile(given, { device, metrics: false });
  try {
    await compiled.valueAndGrad(batch);
    return "none";
  } catch (error) {
    if (!(error instanceof PrefcError)) throw error;
    return error.code;
  } finally {
    compiled.dispose();
  }
};

describe("logits that stand for something else in a kernel", () => {
  it("are reported above 2^96, and not far below it", async () => {
    const at = (z: number): Batch =>
      asSeparate(withRow("policy.w", (row, y) => (row[(y + 1) % 10] = z)));
    expect(await codeOf(builtIn("dpo"), at(1e29))).toBe("logits-not-finite");
    expect(await codeOf(builtIn("dpo"), at(1e28))).toBe("none");
  });

  it("are reported where the label's is below −2^96", async () => {
    const at = (z: number): Batch => asSeparate(withRow("policy.w", (row, y) => (row[y] = z)));
    expect(await codeOf(builtIn("dpo"), at(-largestF32))).toBe("label-impossible");
    expect(await codeOf(builtIn("dpo"), at(-1e28))).toBe("none");
  });

  it("are masks elsewhere, the lowest float as well as −Infinity", async () => {
    const at = (z: number): Batch =>
      asSeparate(withRow("policy.w", (row, y) => (row[(y + 1) % 10] = z)));
    expect(await codeOf(builtIn("dpo"), at(-largestF32))).toBe("none");
    expect(await codeOf(builtIn("dpo"), at(-Infinity))).toBe("none");
  });
});

describe("a logarithm in a row program", () => {
  it("is no number below 0 and infinite at 0, and 0 times it is 0", async () => {
    const logarithm = objective(
      "logarithm",
      ["w", "l"],
      (given) => {
        const a = param("a", 1);
        return logRatio(given, given.y.w)
          .plus(log(a))
          .plus(param("b", 1).times(log(a)));
      },
      { source: "made up" },
    );
    const product = objective(
      "product",
      ["w", "l"],
      (given) => logRatio(given, given.y.w).plus(param("a", 0).times(log(param("a", 0)))),
      { source: "made up" },
    );
    const batch = asSeparate(content);
    const of = async (given: Objective, params: Params): Promise<number | string> => {
      const compiled = compile(given, { device, metrics: false });
      return await compiled.valueAndGrad(batch, { params }).then(
        () => "none",
        (error: unknown) => (error as PrefcError).code,
      );
    };
    expect(await of(logarithm, { a: 2 })).toBe("none");
    expect(await of(logarithm, { a: 0 })).toBe("value-not-finite");
    expect(await of(logarithm, { a: -9 })).toBe("value-not-finite");
    expect(await of(product, {})).toBe("none");
  });
});

describe("an entry that one of two models masks", () => {
  it("is reported where its log-probability has a weight, whose product is infinite", async () => {
    const mask = (row: Float32Array, y: number): unknown => (row[(y + 1) % 10] = -Infinity);
    expect(await codeOf(tdpo2(), asSeparate(withRow("policy.w", mask)))).toBe(
      "masked-entry-weighted",
    );
    // KL(π_ref ‖ π) has nothing where π_ref is 0
    expect(await codeOf(tdpo2(), asSeparate(withRow("ref.w", mask)))).toBe("none");
  });
});

/** A loss that is multiplied, and a gradient that is multiplied by a hundred besides. */
const scaled = objective(
  "scaled",
  ["w", "l"],
  (given) => {
    const margin = logRatio(given, given.y.w).minus(logRatio(given, given.y.l));
    return neg(logSigmoid(margin.times(100))).times(param("scale", 1));
  },
  { source: "made up" },
);

describe("a gradient that its type cannot hold", () => {
  let compiled: Compiled;
  beforeAll(() => {
    compiled = compile(scaled, { device, metrics: false });
  });
  afterAll(() => compiled.dispose());
  const outcome = async (dtype: StorageType, scale: number): Promise<string> => {
    const size = { examples: 2, tokens: 2, vocab: [13, 13] } as const;
    const batch = randomBatch({ ...compiled.program, dtype }, size, random(3, 5));
    try {
      await compiled.valueAndGrad(batch, { params: { scale } });
      return "none";
    } catch (error) {
      if (!(error instanceof PrefcError)) throw error;
      return error.code;
    }
  };

  it("is reported in f32, although the loss is finite", async () => {
    expect(await outcome("f32", 1e34)).toBe("none");
    expect(await outcome("f32", 3e36)).toBe("value-not-finite");
  });

  it("is reported in f16, where bf16 holds it", async () => {
    expect(await outcome("f16", 1)).toBe("none");
    expect(await outcome("f16", 1e6)).toBe("value-not-finite");
    expect(await outcome("bf16", 1e6)).toBe("none");
  });
});
