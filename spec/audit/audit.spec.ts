// Recorded training steps against the formula: twenty steps of TRL's trainer depart in nothing, each planted mistake is named and no
// other, and a number that is changed is found at its place. Steps are the same under the names of every trainer and in every file.

import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { audit, type Audit } from "../../src/audit/audit.ts";
import { names, type Role } from "../../src/audit/names.ts";
import { readStep, type Step } from "../../src/audit/step.ts";
import { auditText } from "../../src/audit/text.ts";
import {
  builtIn,
  exp,
  logSoftmax,
  mean,
  objective,
  square,
  sum,
  type Objective,
  type Params,
} from "../../src/index.ts";
import { openTensors } from "../../src/tensors/open.ts";
import { errorOf } from "../support/error.ts";
import { isOneSafeLine } from "../support/hostile.ts";
import { f32, i64, npz, safetensors, withFile, type Plain } from "../support/tensors.ts";

const folder = fileURLToPath(new URL("recorded/", import.meta.url));
const files = readdirSync(folder).filter((file) => file.endsWith(".safetensors"));

const audited = (
  path: string,
  made: Objective,
  params: Params = {},
  dtype: "bf16" | "f16" | null = null,
): { readonly step: Step; readonly found: Audit; readonly lines: readonly string[] } => {
  const file = openTensors(path);
  try {
    const step = readStep(file, dtype);
    const found = audit(step, made, params);
    return { step, found, lines: auditText(step, made.name, found, null) };
  } finally {
    file.close();
  }
};

const clean = files.filter((file) => /^(?:dpo|wpo|ipo|hinge)-\d/.test(file));
const planted: Readonly<Record<string, string>> = {
  padding: "padding is counted as tokens of the completion",
  prompt: "the prompt is not masked",
  ignored: "labels of −100 are read as the last token of the vocabulary",
  bf16: "log-softmax is computed in bf16",
  shifted: "the weights are shifted by one token",
  sums: "sums stand where means over tokens belong",
  left: "the mask takes padding on the left for padding on the right",
  vocabulary:
    "the reference has another vocabulary, whose rows were cut or filled up to the policy's",
};
const weighted = ["shifted", "sums", "weighted"];

describe("steps of TRL 1.16", () => {
  it("are twenty, of four objectives", () => {
    expect(clean).toHaveLength(20);
  });

  it.each(clean)("depart in nothing: %s", (file) => {
    const { found, lines } = audited(`${folder}${file}`, builtIn(file.split("-")[0]!));
    expect(found.first).toBeNull();
    expect(found.explanations).toEqual([]);
    // log-probabilities of both models, the loss, eight metrics and the gradient
    expect(found.comparisons.length).toBeGreaterThan(13);
    expect(found.comparisons.every(({ count }) => count > 0)).toBe(true);
    expect(lines.at(-1)).toMatch(/^No departure/);
    expect(lines.filter((line) => !isOneSafeLine(line) && line !== "")).toEqual([]);
  });

  it("depart where the trainer had another β", () => {
    const { found } = audited(`${folder}dpo-0.safetensors`, builtIn("dpo"), { beta: 0.2 });
    expect(found.first?.key).toBe("loss");
    expect(found.explanations).toEqual([]);
  });

  it("depart from another objective", () => {
    const { found } = audited(`${folder}wpo-1.safetensors`, builtIn("dpo"));
    expect(found.first?.key).toBe("loss");
  });
});

describe("steps of a trainer that is right", () => {
  it.each(["right-weighted", "right-left", "right-vocabulary"])("depart in nothing: %s", (name) => {
    const made = builtIn(name.endsWith("weighted") ? "wpo" : "dpo");
    const { found } = audited(`${folder}${name}.safetensors`, made);
    expect(found.first).toBeNull();
    expect(found.comparisons.map(({ key }) => key)).toContain("d loss / d policy logits");
  });
});

describe("a planted mistake", () => {
  it.each(Object.entries(planted))("is named, and no other: %s", (name, mistake) => {
    const made = builtIn(weighted.includes(name) ? "wpo" : "dpo");
    const { found, lines } = audited(`${folder}planted-${name}.safetensors`, made);
    expect(found.first).not.toBeNull();
    expect(found.explanations.map((tried) => tried.name)).toEqual([mistake]);
    const { agrees, of } = found.explanations[0]!;
    expect(agrees).toBe(of);
    expect(of).toBeGreaterThan(8);
    expect(lines.some((line) => line.startsWith("First departure: "))).toBe(true);
    expect(lines.some((line) => line.includes(mistake))).toBe(true);
  });
});

// ---- steps that are made here

type Tensors = Record<string, Plain>;
/** Σ_v (mean_t π(v))²: a term over the vocabulary of a whole response. */
const spread = objective(
  "spread",
  ["w"],
  ({ policy, y }) =>
    sum("vocab", square(mean("token", exp(logSoftmax("vocab", policy.logits(y.w)))))),
  { source: "this test" },
);
const [sequences, length, vocab] = [4, 5, 7];
const wave = (count: number, step: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => Math.fround(2 * Math.sin(index * step)));
const ids = [1, 2, 3, 4, 0, 2, 3, 4, 5, 6, 1, 1, 2, 0, 0, 3, 3, 5, 1, 0];
const completion = [0, 0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 1, 1, 0, 0, 0, 0, 1, 1, 0];
const attention = ids.map((id, at) => Number(id !== 0 || completion[at] === 1));
const plain: Tensors = {
  input_ids: i64(ids, sequences, length),
  completion_mask: i64(completion, sequences, length),
  attention_mask: i64(attention, sequences, length),
  policy_logits: f32(wave(sequences * length * vocab, 1.7), sequences, length, vocab),
  ref_logits: f32(wave(sequences * length * vocab, 2.3), sequences, length, vocab),
};
const filed = (
  tensors: Tensors,
  made: Objective = builtIn("dpo"),
  dtype: "bf16" | "f16" | null = null,
): ReturnType<typeof audited> =>
  withFile(safetensors(tensors), "step", (path) => audited(path, made, {}, dtype));

const right = filed(plain).found.computation.quantities;
const valueOf = (key: string): Float64Array => right.get(key)!.values;
const sequenceLogps = (model: string): readonly number[] =>
  ["w", "l"].flatMap((response) => [...valueOf(`log π(y), ${model}, ${response}`)]);
const recorded: Tensors = {
  chosen_logps: f32(sequenceLogps("policy").slice(0, 2), 2),
  rejected_logps: f32(sequenceLogps("policy").slice(2), 2),
  ref_logps: f32(sequenceLogps("ref"), 4),
  losses: f32([...valueOf("loss of each example")], 2),
  loss: f32([valueOf("loss")[0]!]),
  "metrics/rewards/margins": f32([valueOf("rewards/margins")[0]!]),
};

describe("a number that is changed", () => {
  it("is none before", () => {
    const { found } = filed({ ...plain, ...recorded });
    expect(found.first).toBeNull();
    expect(found.comparisons.map(({ name }) => name)).toEqual([
      "chosen_logps and rejected_logps",
      "chosen_logps and rejected_logps",
      "ref_logps",
      "ref_logps",
      "losses",
      "loss",
      "rewards/margins",
    ]);
  });

  it.each([
    ["chosen_logps", "log π(y), policy, w", "the chosen response of example 1", 1],
    ["rejected_logps", "log π(y), policy, l", "the rejected response of example 1", 1],
    ["ref_logps", "log π(y), ref, l", "the rejected response of example 1", 3],
    ["losses", "loss of each example", "example 1", 1],
    ["loss", "loss", "the batch", 0],
    ["metrics/rewards/margins", "rewards/margins", "the batch", 0],
  ])("is found at its place: %s", (name, key, place, at) => {
    const before = new Float32Array(recorded[name]!.bytes.slice().buffer);
    for (const value of [before[at]! + 0.01, Number.NaN]) {
      const values = [...before];
      values[at] = value;
      const { found, lines } = filed({
        ...plain,
        ...recorded,
        [name]: f32(values, ...recorded[name]!.shape),
      });
      expect(found.first).toMatchObject({ key, departures: 1, departs: { place } });
      expect(found.explanations).toEqual([]);
      expect(lines.at(-1)).toBe("None of the mistakes that were tried explains it.");
    }
  });
});

describe("names and files", () => {
  const halves = (tensor: Plain): readonly [Plain, Plain] => {
    const shape = [tensor.shape[0]! / 2, ...tensor.shape.slice(1)];
    const middle = tensor.bytes.length / 2;
    return [
      { ...tensor, shape, bytes: tensor.bytes.subarray(0, middle) },
      { ...tensor, shape, bytes: tensor.bytes.subarray(middle) },
    ];
  };
  const of: Readonly<Partial<Record<Role, string>>> = {
    ids: "input_ids",
    completion: "completion_mask",
    attention: "attention_mask",
    "policy logits": "policy_logits",
    "ref logits": "ref_logits",
  };

  it.each(Object.entries(of) as [Role, string][])(
    "%s is found under each of its names, whole and by halves",
    (role, name) => {
      const { [name]: tensor, ...others } = { ...plain, ...recorded };
      for (const other of names[role].whole)
        expect(filed({ ...others, [other]: tensor! }).found.first).toBeNull();
      for (const [chosen, rejected] of names[role].pairs) {
        const [first, second] = halves(tensor!);
        const made = filed({ ...others, [chosen]: first, [rejected]: second });
        expect(made.found.first).toBeNull();
        expect(made.step.others).toEqual([]);
      }
    },
  );

  it("labels of −100 stand for a mask", () => {
    const { completion_mask: _, ...others } = { ...plain, ...recorded };
    const labels = i64(
      ids.map((id, at) => (completion[at] === 1 ? id : -100)),
      sequences,
      length,
    );
    expect(filed({ ...others, labels }).found.first).toBeNull();
    const { input_ids: __, ...alone } = others;
    expect(filed({ ...alone, labels }).found.first).toBeNull();
  });

  it("an .npz file is the same step, and so are logits without their last row", () => {
    for (const deflated of [false, true])
      withFile(npz({ ...plain, ...recorded }, deflated), "step.npz", (path) => {
        expect(audited(path, builtIn("dpo")).found.first).toBeNull();
      });
    const rows = wave(sequences * length * vocab, 1.7);
    const shorter = Array.from({ length: sequences }, (_, one) =>
      rows.slice(one * length * vocab, ((one + 1) * length - 1) * vocab),
    ).flat();
    const policy_logits = f32(shorter, sequences, length - 1, vocab);
    expect(filed({ ...plain, ...recorded, policy_logits }).found.first).toBeNull();
  });

  it("numbers of two bytes are what --dtype says", () => {
    const halved = (values: readonly number[]): Plain => ({
      dtype: "I16",
      shape: [sequences, length, vocab],
      bytes: new Uint8Array(
        Uint16Array.from(
          values,
          (value) => new Uint32Array(Float32Array.of(value).buffer)[0]! >>> 16,
        ).buffer,
      ),
    });
    const policy_logits = halved(wave(sequences * length * vocab, 1.7));
    const { found } = filed({ ...plain, policy_logits }, builtIn("dpo"), "bf16");
    expect(found.computation.quantities.get("loss")!.values[0]).toBeCloseTo(valueOf("loss")[0]!, 2);
    expect(errorOf(() => filed({ ...plain, policy_logits }))[1]).toContain("give --dtype bf16");
  });

  it("a reference whose log-probabilities alone were recorded is data", () => {
    const { ref_logits: _, ...others } = { ...plain, ...recorded };
    const { found } = filed(others);
    expect(found.first).toBeNull();
    expect(found.heights).toEqual({ ref: "logps" });
  });
});

describe("a step that cannot be audited", () => {
  const without = (name: string): Tensors => {
    const { [name]: _, ...others } = plain;
    return others;
  };
  it.each<readonly [string, Tensors, string, RegExp]>([
    [
      "no ids",
      without("input_ids"),
      "step-tensor-missing",
      /has no token ids; record it as input_ids, or as/,
    ],
    [
      "no mask",
      without("completion_mask"),
      "step-tensor-missing",
      /has no completion mask and no labels/,
    ],
    ["no logits", without("policy_logits"), "step-tensor-missing", /has no logits of the policy/],
    ["no reference", without("ref_logits"), "step-tensor-missing", /no logits of the model "ref"/],
    [
      "odd sequences",
      { ...plain, input_ids: i64(ids.slice(5), 3, 5) },
      "step-tensor-shape",
      /3 sequences, which are no pairs/,
    ],
    [
      "ids of three extents",
      { ...plain, input_ids: i64(ids, 2, 2, 5) },
      "step-tensor-shape",
      /shape 2 × 2 × 5/,
    ],
    [
      "a mask of another length",
      { ...plain, completion_mask: i64(completion.slice(4), 4, 4) },
      "step-tensor-shape",
      /4 × 4, but the token ids/,
    ],
    [
      "a mask that is none",
      { ...plain, completion_mask: i64(completion.with(3, 2), 4, 5) },
      "step-tensor-value",
      /is 2 at position 3 of sequence 0/,
    ],
    [
      "logits of another shape",
      { ...plain, policy_logits: f32(wave(28, 1), 4, 7) },
      "step-tensor-shape",
      /4 × 7/,
    ],
    [
      "an id outside",
      { ...plain, input_ids: i64(ids.with(2, 99), 4, 5) },
      "step-tensor-value",
      /position 2 of sequence 0 is 99/,
    ],
    [
      "losses of another number",
      { ...plain, losses: f32([1, 2, 3], 3) },
      "step-tensor-shape",
      /losses has 3 numbers/,
    ],
    [
      "logits that are whole",
      { ...plain, policy_logits: i64(wave(140, 1).map(Math.round), 4, 5, 7) },
      "tensor-type",
      /holds i64/,
    ],
  ])("has %s", (_, tensors, code, sentence) => {
    const [found, message] = errorOf(() => filed(tensors));
    expect(found).toBe(code);
    expect(message).toMatch(sentence);
    expect(isOneSafeLine(message)).toBe(true);
  });

  it("has an objective of other data", () => {
    expect(errorOf(() => filed(plain, builtIn("kto")))[0]).toBe("audit-responses");
    expect(errorOf(() => filed(plain, builtIn("reward")))[0]).toBe("audit-responses");
  });

  it("has an objective whose terms are no numbers of tokens", () => {
    expect(errorOf(() => filed(plain, spread))[0]).toBe("audit-term");
  });
});
