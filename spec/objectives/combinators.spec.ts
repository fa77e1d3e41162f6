// The laws of the functions from objectives to objectives, and the combinations that they refuse.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradient } from "../../src/ad/gradient.ts";
import { constant, substitute } from "../../src/core/build.ts";
import { topological, type Node } from "../../src/core/node.ts";
import { neg, objective, param, referenceFree, state } from "../../src/dsl/index.ts";
import {
  alphaDivergence,
  aot,
  aotUnpaired,
  apoDown,
  apoZero,
  bradleyTerry,
  discopop,
  dpo,
  exoPair,
  forwardKl,
  hinge,
  ipo,
  jsDivergence,
  lengthDesensitised,
  lengthNormalised,
  mix,
  ncaPair,
  none,
  reverseKl,
  robust,
  sampled,
  sft,
  sigmoidNorm,
  sppoHard,
  trlDpo,
  weighted,
  withDivergence,
  withLabelSmoothing,
  withWeighting,
  type PairwiseObjective,
} from "../../src/objectives/index.ts";
import { simplify } from "../../src/rewrite/simplify.ts";
import { ragged } from "../support/arbitraries.ts";
import { any, describeMisuses } from "../dsl/misuse.ts";
import { rescored } from "../../src/objectives/scores.ts";
import { close, expectLosses, onBatches, values } from "./compare.ts";
import * as plain from "./plain.ts";
import { scalar, slopes } from "./slopes.ts";

/** The loss with a parameter as the constant, simplified. */
const settled = ({ loss }: PairwiseObjective, params: Readonly<Record<string, number>>): Node => {
  const order = topological([loss]);
  const [bound] = substitute(
    [loss],
    (node) => {
      const value = node.tag === "param" ? params[node.name] : undefined;
      return value === undefined ? node : constant(value);
    },
    order,
  );
  return simplify([bound!]).roots[0]!;
};
const plainly = ({ loss }: PairwiseObjective): Node => simplify([loss]).roots[0]!;

const losses: Readonly<Record<string, PairwiseObjective>> = {
  sigmoid: bradleyTerry(),
  hinge: hinge(),
  ipo: ipo(),
  nca_pair: ncaPair(),
  sppo_hard: sppoHard(),
  discopop: discopop(),
  sigmoid_norm: sigmoidNorm(),
};
const each = Object.entries(losses);

describe("mix", () => {
  it("of one part with weight 1 is the part", () => {
    for (const [, part] of each) {
      expect(mix({ part: [part, 1] })).toBe(part);
      expect(weighted(part, 1)).toBe(part);
    }
  });

  it("is linear in value and gradient", () => {
    const parts = fc.uniqueArray(fc.constantFrom(...Object.keys(losses), "sft"), {
      minLength: 2,
      maxLength: 3,
    });
    const weights = fc.array(fc.double({ min: -2, max: 2, noNaN: true }), {
      minLength: 3,
      maxLength: 3,
    });
    const batches = ragged({ scales: ["normal"], maxExamples: 2, maxLength: 2, maxVocab: 4 });
    fc.assert(
      fc.property(parts, weights, batches, (names, by, batch) => {
        const members = names.map((name) => (name === "sft" ? sft() : losses[name]!));
        const mixed = mix(
          Object.fromEntries(members.map((part, n) => [names[n]!, [part, by[n]!] as const])),
        );
        const expected = members.map((part) => values(scalar(part), batch)[0]!);
        close(
          values(scalar(mixed), batch)[0]!,
          expected.reduce((total, value, n) => total + by[n]! * value, 0),
        );
        const ofParts = members.map((part) => new Map(slopes(scalar(part))));
        for (const [input, slope] of slopes(scalar(mixed))) {
          const wanted = ofParts.map((of) => {
            const node = of.get(input);
            return node === undefined ? [] : values(node, batch);
          });
          values(slope, batch).forEach((value, entry) =>
            close(
              value,
              wanted.reduce((total, list, n) => total + by[n]! * (list[entry] ?? 0), 0),
            ),
          );
        }
      }),
      { numRuns: 20 },
    );
  });

  it("computes what the parts share once", () => {
    const alone = topological([bradleyTerry().loss]).length;
    const both = topological([
      mix({ sigmoid: [bradleyTerry(), 0.5], hinge: [hinge(), 0.5] }).loss,
    ]).length;
    expect(both).toBeLessThan(alone + 12);
  });

  it("takes weights that are known when it runs, and weights of examples", () => {
    const swept = mix({ sigmoid: [bradleyTerry(), param("share", 0.25)], sft: [sft(), 1] });
    const given = weighted(bradleyTerry(), (g) => g.example("weight"));
    onBatches((batch) => {
      const own = values(bradleyTerry().loss, batch);
      const [likelihood] = values(sft().loss, batch);
      values(swept.loss, batch, { share: 2 }).forEach((value, b) =>
        close(value, 2 * own[b]! + likelihood!),
      );
      const weights = Float64Array.from(own, (_, b) => b + 0.5);
      const inputs = {
        ...batch.inputs,
        "example.weight": { height: "example", values: weights },
      } as const;
      values(given.loss, { ...batch, inputs }).forEach((value, b) =>
        close(value, (b + 0.5) * own[b]!),
      );
    });
  });

  it("reports the metrics of the part over both responses, wherever it stands", () => {
    const [first, last] = [
      mix({ sft: [sft(), 1], dpo: [dpo(), 1] }),
      mix({ dpo: [dpo(), 1], sft: [sft(), 1] }),
    ];
    expect(first.responses).toEqual(expect.arrayContaining(["w", "l"]));
    for (const name of Object.keys(dpo().metrics)) {
      expect(first.metrics[name]).toBe(dpo().metrics[name]);
      expect(last.metrics[name]).toBe(dpo().metrics[name]);
    }
  });
});

describe("withLabelSmoothing", () => {
  it.each(each)("at 0 is the identity: %s", (_, inner) => {
    expect(settled(withLabelSmoothing()(inner), { label_smoothing: 0 })).toBe(plainly(inner));
  });

  it("of the logistic loss is conservative DPO", () => {
    onBatches((batch) => {
      const wanted = values(dpo({ label_smoothing: 0.2 }).loss, batch);
      values(withLabelSmoothing(0.2)(bradleyTerry()).loss, batch).forEach((value, b) =>
        close(value, wanted[b]!),
      );
    });
  });

  it("undoes the correction of robust DPO", () => {
    const ε = 0.2;
    const right = robust({ label_smoothing: ε });
    const exchanged = objective(
      "robust, labels exchanged",
      ["w", "l"],
      (g) =>
        right.define(
          rescored(g, ({ w, l, difference }) => ({ w: l, l: w, difference: neg(difference) })),
        ).loss,
      { source: "test" },
    );
    onBatches((batch) => {
      const [kept, wrong] = [values(right.loss, batch), values(exchanged.loss, batch)];
      values(bradleyTerry().loss, batch).forEach((value, b) =>
        close((1 - ε) * kept[b]! + ε * wrong[b]!, value),
      );
    });
  });

  it("smooths the parts of a mixture that have labels, and no others", () => {
    const mixed = withLabelSmoothing(0.1)(mix({ sigmoid: [bradleyTerry(), 0.5], sft: [sft(), 2] }));
    onBatches((batch) => {
      const smooth = values(withLabelSmoothing(0.1)(bradleyTerry()).loss, batch);
      const [likelihood] = values(sft().loss, batch);
      values(mixed.loss, batch).forEach((value, b) =>
        close(value, 0.5 * smooth[b]! + 2 * likelihood!),
      );
    });
  });
});

describe("withDivergence", () => {
  it("by the reverse KL divergence is the identity", () => {
    for (const [, inner] of each) expect(withDivergence(reverseKl)(inner)).toBe(inner);
  });

  it("by the α-divergence is the reverse KL divergence at 1 and the forward one at 0", () => {
    const at = (inner: PairwiseObjective): PairwiseObjective =>
      withDivergence(alphaDivergence())(inner);
    fc.assert(
      fc.property(fc.constantFrom(...each), ragged({ scales: ["normal"] }), ([, inner], batch) => {
        const forward = values(withDivergence(forwardKl)(inner).loss, batch);
        const reverse = values(inner.loss, batch);
        const value = (α: number): readonly number[] =>
          values(at(inner).loss, batch, { f_alpha_divergence_coef: α });
        value(1).forEach((loss, b) => close(loss, reverse[b]!));
        value(0).forEach((loss, b) => close(loss, forward[b]!));
      }),
    );
  });

  it("commutes with combinators that leave log-ratios alone", () => {
    const divergence = withDivergence(jsDivergence);
    const others: Readonly<Record<string, (inner: PairwiseObjective) => PairwiseObjective>> = {
      smoothing: withLabelSmoothing(0.1),
      weighting: withWeighting(sampled),
      desensitising: lengthDesensitised({ ld_alpha: 0.3 }),
      "leaving the reference out": referenceFree,
      "a weight": (inner) => weighted(inner, 3),
      mixing: (inner) => mix({ a: [inner, 2], sft: [sft(), 1] }),
    };
    fc.assert(
      fc.property(fc.constantFrom(...Object.values(others)), ragged(), (other, batch) => {
        const wanted = values(divergence(other(hinge())).loss, batch);
        values(other(divergence(hinge())).loss, batch).forEach((value, b) =>
          close(value, wanted[b]!),
        );
      }),
    );
  });
});

describe("lengthNormalised and lengthDesensitised", () => {
  it("change nothing for one token each, and for α = 1", () => {
    fc.assert(
      fc.property(fc.constantFrom(...each), ragged({ maxLength: 1 }), ([, inner], batch) => {
        const wanted = values(inner.loss, batch);
        values(lengthNormalised(inner).loss, batch).forEach((value, b) => close(value, wanted[b]!));
        values(lengthDesensitised({ ld_alpha: 0 })(inner).loss, batch).forEach((value, b) =>
          close(value, wanted[b]!),
        );
      }),
    );
    onBatches((batch) => {
      const wanted = values(dpo().loss, batch);
      values(lengthDesensitised({ ld_alpha: 1 })(dpo()).loss, batch).forEach((value, b) =>
        close(value, wanted[b]!),
      );
    });
  });

  it("make TRL's losses of the plain ones", () => {
    expect(lengthNormalised(bradleyTerry()).loss).toBe(sigmoidNorm().loss);
    expect(lengthNormalised(ipo({ length_normalised: false })).loss).toBe(ipo().loss);
  });

  it("leave the reference as it is when told to", () => {
    onBatches((batch) => {
      const wanted = plain.examples(batch).map(({ w, l }) => {
        const shorter = Math.min(w.labels.length, l.labels.length);
        const h = ({ policy, ref }: plain.Sequence): number =>
          plain.total(policy.slice(0, shorter)) - plain.total(ref);
        return -plain.logSigmoid(0.1 * (h(w) - h(l)));
      });
      expectLosses(
        lengthDesensitised({ ld_alpha: 0, reference: false })(bradleyTerry()),
        batch,
        wanted,
      );
    });
  });
});

describe("withWeighting", () => {
  it("without alignment by responses of probability 1 is the identity", () => {
    // a vocabulary entry 200 above the other has probability 1 in float64
    onBatches((drawn) => {
      const certain = { ...drawn, inputs: { ...drawn.inputs } };
      for (const response of ["w", "l"]) {
        const { labels } = drawn.responses[response]!;
        const data = new Float64Array(labels.length * drawn.vocab);
        labels.forEach((label, token) => (data[token * drawn.vocab + label] = 200));
        certain.inputs[`policy.logits.${response}`] = {
          height: "logits",
          tensor: { name: `certain.${response}`, data, rows: labels.length },
          rowIndex: Uint32Array.from(labels, (_, row) => row),
        };
      }
      const wanted = values(hinge().loss, certain);
      values(withWeighting(none)(hinge()).loss, certain).forEach((value, b) =>
        close(value, wanted[b]!),
      );
    });
  });

  it("distributes over mixtures", () => {
    const weigh = withWeighting(sampled);
    const [together, apart] = [
      weigh(mix({ a: [hinge(), 0.5], b: [ipo(), 2] })),
      mix({ a: [weigh(hinge()), 0.5], b: [weigh(ipo()), 2] }),
    ];
    onBatches((batch) => {
      const wanted = values(apart.loss, batch);
      values(together.loss, batch).forEach((value, b) => close(value, wanted[b]!));
    });
  });

  it("passes no gradient through its weights", () => {
    const { loss } = withWeighting(none)(
      objective("one", ["w", "l"], () => param("one", 1), { source: "test" }),
    );
    const logits = topological([loss]).filter((node) => node.tag === "input");
    expect(logits.length).toBeGreaterThan(0);
    for (const slope of gradient(scalar({ loss }), logits))
      expect(simplify([slope]).roots[0]).toBe(constant(0));
  });
});

const stateful = (value: number): PairwiseObjective =>
  objective(
    "counting",
    ["w", "l"],
    (g) => {
      const seen = state("seen", 0);
      return { loss: g.policy.logps(g.y.w).plus(seen), next: { seen: seen.plus(value) } };
    },
    { source: "test" },
  );

it("combinators carry state along", () => {
  const { next } = stateful(1);
  for (const outer of [
    weighted(stateful(1), 2),
    withWeighting(none)(stateful(1)),
    mix({ a: [stateful(1), 1], b: [stateful(1), 2], sft: [sft(), 1] }),
    lengthDesensitised()(stateful(1)),
  ])
    expect(outer.next).toEqual(next);
});

const noEffect = "combination-without-effect";
describeMisuses("a combination without sense", [
  [
    "a divergence of the likelihood",
    noEffect,
    /^withDivergence: the loss of "sft" does not change by another divergence/,
    () => withDivergence(jsDivergence)(sft()),
  ],
  [
    "a divergence of a loss of log-ratios",
    noEffect,
    /^withDivergence: the loss of "apo_zero"/,
    () => withDivergence(jsDivergence)(apoZero()),
  ],
  [
    "a divergence in one term and not in the other",
    noEffect,
    /"apo_down"/,
    () => withDivergence(jsDivergence)(apoDown()),
  ],
  [
    "a divergence of log-ratios that are sorted",
    noEffect,
    /"aot_unpaired"/,
    () => withDivergence(jsDivergence)(aotUnpaired()),
  ],
  [
    "weights of pairs for what was sorted",
    "weight-of-sorted",
    /^withWeighting: "aot" sorts scores along the batch, so its numbers belong to no pair/,
    () => withWeighting(sampled)(aot()),
  ],
  [
    "TRL's weighting of what was sorted",
    "weight-of-sorted",
    /"aot_unpaired"/,
    () => trlDpo({ loss_type: "aot_unpaired", use_weighting: true }),
  ],
  [
    "smoothing the likelihood",
    noEffect,
    /^withLabelSmoothing: the loss of "sft" does not change by exchanging the two scores/,
    () => withLabelSmoothing(0.1)(sft()),
  ],
  [
    "smoothing what is smoothed",
    "already-smoothed",
    /^withLabelSmoothing: "dpo" has a label_smoothing of its own/,
    () => withLabelSmoothing(0.1)(dpo()),
  ],
  [
    "smoothing a correction of wrong labels",
    "already-smoothed",
    /"exo_pair"/,
    () => withLabelSmoothing(0.1)(exoPair()),
  ],
  [
    "normalising the likelihood",
    noEffect,
    /^lengthNormalised: the loss of "sft"/,
    () => lengthNormalised(sft()),
  ],
  [
    "desensitising the likelihood",
    noEffect,
    /^lengthDesensitised: the loss of "sft"/,
    () => lengthDesensitised()(sft()),
  ],
  [
    "smoothing by one half",
    "option-value",
    /^withLabelSmoothing: the option label_smoothing is the number 0\.5; give a number from 0 to below 0\.5/,
    () => withLabelSmoothing(0.5),
  ],
  ["a mixture of nothing", "mix-of-nothing", /^mix: there are no parts/, () => mix({})],
  [
    "a part without a weight",
    "mix-part",
    /^mix: the part "dpo" is not a pair; write "dpo": \[objective, weight\]/,
    () => mix(any({ dpo: dpo() })),
  ],
  [
    "parts with different β under one name",
    "parameter-defaults-differ",
    /"beta" has two defaults, 0\.1 and 0\.5/,
    () => mix({ a: [dpo(), 1], b: [hinge({ beta: 0.5 }), 1] }),
  ],
  [
    "parts that leave different values in one state",
    "states-differ",
    /^mix: "b" leaves another value in the state "seen"/,
    () => mix({ a: [stateful(1), 1], b: [stateful(2), 1] }),
  ],
]);

describeMisuses("options of TRL that do not apply", [
  [
    "a near miss of a loss type",
    "loss-type",
    /^trlDpo: loss_type is the string "sigmod", which is none of .* Did you mean "sigmoid"\?$/,
    () => trlDpo({ loss_type: any("sigmod") }),
  ],
  ["no loss type", "loss-type", /loss_type is empty/, () => trlDpo({ loss_type: [] })],
  ["a number as loss type", "loss-type", /the number 3/, () => trlDpo({ loss_type: any(3) })],
  [
    "a loss type twice",
    "loss-type",
    /names "hinge" twice/,
    () => trlDpo({ loss_type: ["hinge", "hinge"] }),
  ],
  [
    "too few weights",
    "loss-weights",
    /^trlDpo: loss_weights is \[1\]; give a list of 2 finite numbers/,
    () => trlDpo({ loss_type: ["sigmoid", "sft"], loss_weights: [1] }),
  ],
  [
    "a weight for one loss",
    "loss-weights",
    /the number 2; give a list of 1 finite number, /,
    () => trlDpo({ loss_weights: any(2) }),
  ],
  [
    "ε of a loss that does not read it",
    "option-does-not-apply",
    /^trlDpo: label_smoothing does not apply to loss_type "sigmoid"; .* withLabelSmoothing\.$/,
    () => trlDpo({ label_smoothing: 0.1 }),
  ],
  [
    "ε of one half",
    "option-value",
    /label_smoothing is the number 0\.5/,
    () => trlDpo({ loss_type: "robust", label_smoothing: 0.5 }),
  ],
  [
    "exo_pair without ε",
    "option-value",
    /^exoPair: the option label_smoothing is the number 0; give a number above 0 and below 0\.5\./,
    () => trlDpo({ loss_type: "exo_pair", label_smoothing: 0 }),
  ],
  [
    "β of 0",
    "option-value",
    /^trlDpo: the option beta is the number 0; give a number above 0\./,
    () => trlDpo({ beta: 0 }),
  ],
  [
    "α of LD-DPO beyond 1",
    "option-value",
    /ld_alpha is the number 1\.5; give a number from 0 to 1\./,
    () => trlDpo({ ld_alpha: 1.5 }),
  ],
  [
    "τ without discopop",
    "option-does-not-apply",
    /discopop_tau does not apply/,
    () => trlDpo({ discopop_tau: 1 }),
  ],
  [
    "α of another divergence",
    "option-does-not-apply",
    /f_alpha_divergence_coef does not apply to f_divergence_type "js_divergence"/,
    () => trlDpo({ f_divergence_type: "js_divergence", f_alpha_divergence_coef: 2 }),
  ],
  [
    "a divergence of a loss that reads none",
    "option-does-not-apply",
    /^trlDpo: f_divergence_type "forward_kl" does not apply to loss_type "apo_zero"; TRL 1\.16\.0 reads it with/,
    () => trlDpo({ loss_type: ["sigmoid", "apo_zero"], f_divergence_type: "forward_kl" }),
  ],
  [
    "β of the likelihood",
    "option-does-not-apply",
    /^trlDpo: beta does not apply to loss_type "sft"; that is the likelihood/,
    () => trlDpo({ loss_type: "sft", beta: 0.5 }),
  ],
  [
    "ld_alpha of the likelihood",
    "option-does-not-apply",
    /ld_alpha/,
    () => trlDpo({ loss_type: "sft", ld_alpha: 0.5 }),
  ],
  [
    "the likelihood twice",
    "option-does-not-apply",
    /^trlDpo: rpo_alpha does not apply to loss_type "sigmoid" and "sft"/,
    () => trlDpo({ as_of: "0.28", loss_type: ["sigmoid", "sft"], rpo_alpha: 1 }),
  ],
  [
    "an option of an earlier release",
    "option-does-not-apply",
    /^trlDpo: rpo_alpha does not apply to TRL 1\.16\.0; it is an option from 0\.9 to 0\.28; since then/,
    () => trlDpo({ rpo_alpha: 1 }),
  ],
  [
    "no reference in a release that needs one",
    "option-does-not-apply",
    /^trlDpo: reference_free does not apply to TRL 1\.16\.0; .* use referenceFree\.$/,
    () => trlDpo({ reference_free: true }),
  ],
  [
    "a divergence that a release ignores",
    "option-does-not-apply",
    /does not apply to TRL 0\.28; that release computes reverse_kl whatever is given\.$/,
    () => trlDpo({ as_of: "0.28", f_divergence_type: "js_divergence" }),
  ],
  [
    "a divergence before there were any",
    "option-does-not-apply",
    /does not apply to TRL 0\.8; it is an option since 0\.9\.$/,
    () => trlDpo({ as_of: "0.8", f_divergence_type: "js_divergence" }),
  ],
  [
    "forward_kl before it was read",
    "option-does-not-apply",
    /does not apply to TRL 0\.20; it is there since 0\.29; before, it was ignored or refused\.$/,
    () => trlDpo({ as_of: "0.20", f_divergence_type: "forward_kl" }),
  ],
  [
    "weights of a release that had none",
    "option-does-not-apply",
    /^trlDpo: use_weighting does not apply to TRL 0\.11; it is an option since 0\.12\.$/,
    () => trlDpo({ as_of: "0.11", use_weighting: true }),
  ],
  [
    "weights of the tokens beside theirs",
    "option-does-not-apply",
    /^trlDpo: use_weighting does not apply to TRL 0\.20; from 0\.14 to 0\.28 .* give as_of 0\.13 or 0\.29/,
    () => trlDpo({ as_of: "0.20", use_weighting: true }),
  ],
  [
    "lengths counted over the prompt",
    "option-does-not-apply",
    /^trlDpo: ld_alpha does not apply to TRL 0\.28; up to 0\.28 it counted positions from the start/,
    () => trlDpo({ as_of: "0.28", ld_alpha: 0.5 }),
  ],
  [
    "lengths before they counted",
    "option-does-not-apply",
    /^trlDpo: ld_alpha does not apply to TRL 0\.13; it is an option since 0\.18\.$/,
    () => trlDpo({ as_of: "0.13", ld_alpha: 0.5 }),
  ],
  [
    "the release that cut sequences",
    "option-does-not-apply",
    /^trlDpo: as_of is a release of TRL 0\.12, which cut the last token .* give 0\.11 or 0\.13/,
    () => trlDpo({ as_of: "0.12.2" }),
  ],
  [
    "a loss that a release did not have",
    "loss-type",
    /, the losses of TRL 1\.3\. TRL has had "sigmoid_norm" since 1\.4; choose the release with as_of\.$/,
    () => trlDpo({ as_of: "1.3", loss_type: "sigmoid_norm" }),
  ],
  [
    "a loss that went",
    "loss-type",
    /TRL has had "kto_pair" since 0\.7, and no more from 0\.9 on; choose the release with as_of\.$/,
    () => trlDpo({ loss_type: any("kto_pair") }),
  ],
  [
    "a list before there were any",
    "loss-type",
    /^trlDpo: loss_type is a list, which TRL takes since 0\.20 and not in 0\.19; .* mix\.$/,
    () => trlDpo({ as_of: "0.19", loss_type: ["sigmoid", "hinge"] }),
  ],
  [
    "a release as a number",
    "option-value",
    /^trlDpo: the option as_of is the number 1\.1; give a release of TRL from "0\.7" to "1\.16\.0" as a string/,
    () => trlDpo({ as_of: any(1.1) }),
  ],
  [
    "a release that is none yet",
    "option-value",
    /^trlDpo: the option as_of is the string "1\.17"; give a release/,
    () => trlDpo({ as_of: "1.17" }),
  ],
  [
    "an option that TRL does not have",
    "unknown-option",
    /there is no option "bta".*Did you mean "beta"/,
    () => trlDpo(any({ bta: 1 })),
  ],
  ["no options at all", "option-value", /the options are the number 1/, () => trlDpo(any(1))],
]);

it("accepts a whole configuration with TRL's defaults", () => {
  const config = {
    loss_type: ["sigmoid"],
    loss_weights: null,
    beta: 0.1,
    label_smoothing: 0,
    use_weighting: false,
    ld_alpha: null,
    f_divergence_type: "reverse_kl",
    f_alpha_divergence_coef: 0.5,
    discopop_tau: 0.05,
  } as const;
  expect(trlDpo(config).loss).toBe(trlDpo().loss);
  expect(trlDpo({ ...config, loss_type: "sft" }).loss).toBe(sft().loss);
});
