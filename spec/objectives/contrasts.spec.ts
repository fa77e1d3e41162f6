// CPO, SimPO, AlphaPO and TPO as the language says them, against the same losses as plain loops on random ragged batches.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Batch } from "../../src/batch/batch.ts";
import { topological } from "../../src/core/node.ts";
import { alphapo, cpo, simpo, tpo } from "../../src/objectives/index.ts";
import { ragged } from "../support/arbitraries.ts";
import { any, describeMisuses } from "../dsl/misuse.ts";
import { close, expectLosses, onBatches, values } from "./compare.ts";
import * as plain from "./plain.ts";
import { renamed } from "./rows.ts";

const links = {
  sigmoid: (x: number, smoothing: number): number =>
    -(1 - smoothing) * plain.logSigmoid(x) - smoothing * plain.logSigmoid(-x),
  hinge: (x: number): number => Math.max(0, 1 - x),
};
const sum = ({ policy }: plain.Sequence): number => plain.total(policy);
const average = ({ policy }: plain.Sequence): number => plain.mean(policy);
const likelihood = (batch: Batch, side: "w" | "l" = "w"): number =>
  -plain.mean(plain.examples(batch).flatMap((pair) => pair[side].policy));

const numbers = fc.record({
  beta: fc.constantFrom(0.01, 0.1, 2),
  label_smoothing: fc.constantFrom(0, 0.1, 0.4),
  gamma: fc.constantFrom(0, 0.5, 1.5),
  weight: fc.constantFrom(0, 0.3, 1),
});

/** The contrast of one pair in each form that CPO and TPO share. */
const contrast = (
  form: "sigmoid" | "hinge" | "ipo" | "averaged",
  pair: Readonly<Record<"w" | "l", plain.Sequence>>,
  { beta, label_smoothing, gamma }: { beta: number; label_smoothing: number; gamma: number },
): number => {
  const score = form === "ipo" || form === "averaged" ? average : sum;
  const difference = score(pair.w) - score(pair.l);
  if (form === "hinge") return links.hinge(beta * difference);
  if (form === "ipo") return (difference - 1 / (2 * beta)) ** 2;
  if (form === "averaged")
    return links.sigmoid(beta * (difference - gamma / beta), label_smoothing);
  return links.sigmoid(beta * difference, label_smoothing);
};

describe("cpo", () => {
  it("adds the likelihood of the chosen responses to the contrast, in every form", () => {
    const forms = [
      ["sigmoid", "sigmoid"],
      ["hinge", "hinge"],
      ["ipo", "ipo"],
      ["simpo", "averaged"],
    ] as const;
    fc.assert(
      fc.property(fc.constantFrom(...forms), numbers, ragged(), ([loss_type, form], n, batch) => {
        const wanted = plain
          .examples(batch)
          .map((pair) => contrast(form, pair, n) + n.weight * likelihood(batch));
        const { beta, label_smoothing, gamma, weight } = n;
        const given = {
          beta,
          cpo_alpha: weight,
          ...(loss_type === "sigmoid" || loss_type === "simpo" ? { label_smoothing } : {}),
          ...(loss_type === "simpo" ? { simpo_gamma: gamma } : {}),
        };
        expectLosses(cpo({ loss_type, ...given }), batch, wanted);
        expectLosses(cpo({ loss_type }), batch, wanted, given);
      }),
    );
  });

  it("has TRL's defaults", () => {
    const spelled = { loss_type: "sigmoid", beta: 0.1, label_smoothing: 0, cpo_alpha: 1 } as const;
    expect(cpo().loss).toBe(cpo(spelled).loss);
    expect(cpo({ loss_type: "simpo" }).loss).toBe(
      cpo({ loss_type: "simpo", simpo_gamma: 0.5 }).loss,
    );
  });

  it("reports rewards, log-probabilities and the likelihood as TRL does", () => {
    onBatches((batch) => {
      const { metrics } = cpo({ loss_type: "simpo", beta: 0.3 });
      const pairs = plain.examples(batch);
      const wanted: Readonly<Record<string, number>> = {
        "rewards/chosen": 0.3 * plain.mean(pairs.map(({ w }) => average(w))),
        "rewards/rejected": 0.3 * plain.mean(pairs.map(({ l }) => average(l))),
        "rewards/accuracies": plain.mean(pairs.map(({ w, l }) => Number(average(w) > average(l)))),
        "rewards/margins": 0.3 * plain.mean(pairs.map(({ w, l }) => average(w) - average(l))),
        "logps/chosen": plain.mean(pairs.map(({ w }) => average(w))),
        "logps/rejected": plain.mean(pairs.map(({ l }) => average(l))),
        nll_loss: likelihood(batch),
      };
      expect(Object.keys(metrics)).toEqual(Object.keys(wanted));
      for (const [name, node] of Object.entries(metrics))
        close(plain.mean(values(node, batch)), wanted[name]!);
      expect(values(metrics["nll_loss"]!, batch, { cpo_alpha: 0 })).toEqual([0]);
    });
  });

  it("reads no reference", () => {
    const inputs = topological([cpo().loss]).flatMap((node) =>
      node.tag === "input" ? [node.name] : [],
    );
    expect(inputs.filter((name) => name.startsWith("ref"))).toEqual([]);
  });
});

describe("alphapo", () => {
  const bent = (logp: number, alpha: number): number => -Math.expm1(-alpha * logp) / alpha;
  const loss = ({ w, l }: Readonly<Record<"w" | "l", plain.Sequence>>, alpha: number): number =>
    links.sigmoid(0.1 * (bent(average(w), alpha) - bent(average(l), alpha)) - 0.5, 0);

  it("is SimPO with the bent reward", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(-0.5, 0.1, 0.25, 1),
        ragged({ scales: ["normal", "peaked"] }),
        (alpha, batch) => {
          const wanted = plain.examples(batch).map((pair) => loss(pair, alpha));
          expectLosses(alphapo({ alpha }), batch, wanted);
          expectLosses(alphapo(), batch, wanted, { alpha });
        },
      ),
    );
  });

  it("becomes SimPO as α goes to 0", () => {
    onBatches((batch) => {
      const limit = values(cpo({ loss_type: "simpo", cpo_alpha: 0 }).loss, batch);
      values(alphapo({ alpha: 0 }).loss, batch).forEach((value, b) => close(value, limit[b]!));
      // log p and its bent form differ by α log² p / 2, with log p of 160 at most
      values(alphapo({ alpha: 2e-6 }).loss, batch).forEach((value, b) =>
        expect(Math.abs(value - limit[b]!)).toBeLessThanOrEqual(0.1 * 2 * 2e-6 * 160 ** 2),
      );
    });
  });

  it("is 0, not undefined, where both rewards lie outside single precision and the chosen one is ahead", () => {
    const side = { offsets: Uint32Array.of(0, 1), labels: Uint32Array.of(0) };
    const data = Float64Array.of(-800, 0, -900, 0);
    const bound = (row: number) => ({
      height: "logits" as const,
      tensor: { name: "policy", data, rows: 2 },
      rowIndex: Uint32Array.of(row),
    });
    const batch: Batch = {
      examples: 1,
      vocab: 2,
      responses: { w: side, l: side },
      inputs: { "policy.logits.w": bound(0), "policy.logits.l": bound(1) },
    };
    // as it is printed: e^900 − e^800, of which float64 holds neither
    expect(Math.exp(900) - Math.exp(800)).toBeNaN();
    expect(values(alphapo({ alpha: 1 }).loss, batch)).toEqual([0]);
  });
});

describe("simpo", () => {
  it("is the contrast of averages less a ratio, with the likelihood added", () => {
    fc.assert(
      fc.property(fc.boolean(), numbers, ragged(), (isHinge, n, batch) => {
        const { beta, gamma: gamma_beta_ratio, weight: sft_weight, label_smoothing } = n;
        const wanted = plain.examples(batch).map(({ w, l }) => {
          const x = beta * (average(w) - average(l) - gamma_beta_ratio);
          const preference = isHinge ? links.hinge(x) : links.sigmoid(x, label_smoothing);
          return preference + sft_weight * likelihood(batch);
        });
        const given = { beta, gamma_beta_ratio, sft_weight };
        const objective = isHinge
          ? simpo({ loss_type: "hinge", ...given })
          : simpo({ label_smoothing, ...given });
        expectLosses(objective, batch, wanted);
      }),
    );
  });

  it("has the defaults of its authors", () => {
    const spelled = {
      loss_type: "sigmoid",
      beta: 2,
      gamma_beta_ratio: 0.25,
      label_smoothing: 0,
      sft_weight: 0,
    } as const;
    expect(simpo().loss).toBe(simpo(spelled).loss);
  });
});

describe("tpo", () => {
  it("adds the likelihood of a gold response to the contrast, in every form", () => {
    const forms = [
      ["sigmoid", "sigmoid"],
      ["hinge", "hinge"],
      ["ipo", "ipo"],
      ["tpo-l", "averaged"],
    ] as const;
    fc.assert(
      fc.property(fc.constantFrom(...forms), numbers, ragged(), ([loss_type, form], n, batch) => {
        const gold = renamed(batch, { w: ["w"], l: ["l", "gold"] });
        const weight = n.weight === 0 ? 2 : n.weight;
        const contrasts = plain.examples(batch).map((pair) => contrast(form, pair, n));
        const given = {
          beta: n.beta,
          ...(loss_type === "sigmoid" || loss_type === "tpo-l"
            ? { label_smoothing: n.label_smoothing }
            : {}),
          ...(loss_type === "tpo-l" ? { tpo_l_gamma: n.gamma } : {}),
        };
        const wanted = contrasts.map((loss) => loss + weight * likelihood(batch, "l"));
        expectLosses(tpo({ loss_type, tpo_alpha: weight, ...given }), gold, wanted);
        expectLosses(tpo({ loss_type, tpo_alpha: 0, ...given }), batch, contrasts);
      }),
    );
  });

  it("reads a gold response unless its weight is written as 0", () => {
    expect(tpo().responses).toEqual(["w", "l", "gold"]);
    expect(tpo({ tpo_alpha: 0 }).responses).toEqual(["w", "l"]);
  });
});

describeMisuses("options of contrasts", [
  [
    "smoothing of one half",
    "option-value",
    /^cpo: the option label_smoothing is the number 0\.5; give a number from 0 to below 0\.5/,
    () => cpo({ label_smoothing: 0.5 }),
  ],
  [
    "negative smoothing",
    "option-value",
    /^simpo: the option label_smoothing is the number -0\.1/,
    () => simpo({ label_smoothing: -0.1 }),
  ],
  [
    "smoothing of a hinge",
    "option-does-not-apply",
    /^cpo: label_smoothing does not apply to loss_type "hinge"; it is read with "sigmoid" and "simpo" only/,
    () => cpo({ loss_type: "hinge", label_smoothing: 0.1 }),
  ],
  [
    "a margin of a loss without one",
    "option-does-not-apply",
    /^cpo: simpo_gamma does not apply to loss_type "sigmoid"; it is read with "simpo" only/,
    () => cpo({ simpo_gamma: 1 }),
  ],
  [
    "smoothing of SimPO's hinge",
    "option-does-not-apply",
    /^simpo: label_smoothing does not apply to loss_type "hinge"/,
    () => simpo({ loss_type: "hinge", label_smoothing: 0.1 }),
  ],
  [
    "a margin of TPO's plain form",
    "option-does-not-apply",
    /^tpo: tpo_l_gamma does not apply to loss_type "sigmoid"; it is read with "tpo-l" only/,
    () => tpo({ tpo_l_gamma: 1 }),
  ],
  [
    "a form that does not exist",
    "option-value",
    /^tpo: the option loss_type is the string "simpo"; give one of "sigmoid", "hinge", "ipo" and "tpo-l"/,
    () => tpo({ loss_type: any("simpo") }),
  ],
  [
    "a form of AlphaPO",
    "unknown-option",
    /^alphapo: there is no option "loss_type"/,
    () => alphapo(any({ loss_type: "hinge" })),
  ],
]);
