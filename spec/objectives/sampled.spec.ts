// Objectives of sampled completions and of a teacher against the same formulas in loops of plain numbers, written from the
// papers, on random ragged batches; and their gradients against central differences.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  gkd,
  grpo,
  rloo,
  type GrpoLoss,
  type GkdOptions,
  type GrpoOptions,
} from "../../src/objectives/index.ts";
import { evaluate, fromTrl, type Batch, type Objective } from "../../src/index.ts";
import { disagreement } from "./slopes.ts";

/** Completions of one to four tokens over a few entries, what two earlier models said, and an advantage each. */
interface Drawn {
  readonly policy: readonly (readonly (readonly number[])[])[];
  readonly other: readonly (readonly (readonly number[])[])[];
  readonly labels: readonly (readonly number[])[];
  readonly advantages: readonly number[];
}
const vocab = 5;
const logit = fc.integer({ min: -300, max: 300 }).map((hundredths) => hundredths / 100);
const row = fc.array(logit, { minLength: vocab, maxLength: vocab });
const drawn: fc.Arbitrary<Drawn> = fc
  .array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 })
  .chain((lengths) => {
    const rows = (n: number) => fc.array(row, { minLength: n, maxLength: n });
    return fc.record({
      policy: fc.tuple(...lengths.map(rows)),
      other: fc.tuple(...lengths.map(rows)),
      labels: fc.tuple(
        ...lengths.map((n) =>
          fc.array(fc.integer({ min: 0, max: vocab - 1 }), { minLength: n, maxLength: n }),
        ),
      ),
      advantages: fc.tuple(...lengths.map(() => fc.constantFrom(-1.5, -0.3, 0.4, 2))),
    });
  });

const zeros = Array.from({ length: vocab }, () => 0);
/** Rows of one length: a prompt token, the completion, padding. */
function batchOf({ policy, other, labels, advantages }: Drawn): Batch {
  const longest = Math.max(...labels.map(({ length }) => length));
  const padded = <T>(list: readonly T[], with_: T): readonly T[] => [
    ...list,
    ...Array.from({ length: longest + 1 - list.length }, () => with_),
  ];
  const logits = (of: Drawn["policy"]) => of.map((rows) => padded(rows, zeros));
  return fromTrl({
    input_ids: labels.map((ids) => [0, ...padded(ids, 0).slice(0, longest)]),
    completion_mask: labels.map((ids) => [
      0,
      ...padded(
        ids.map(() => 1),
        0,
      ).slice(0, longest),
    ]),
    policy_logits: logits(policy),
    old_logits: logits(other),
    ref_logits: logits(other),
    teacher_logits: logits(other),
    responses: ["y"],
    examples: { advantages },
  });
}

const logSoftmax = (z: readonly number[]): readonly number[] => {
  const m = Math.max(...z);
  const total = Math.log(z.reduce((sum, value) => sum + Math.exp(value - m), 0)) + m;
  return z.map((value) => value - total);
};
const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
const lossOf = ({ loss }: Objective, batch: Batch, params = {}): number => {
  const [value] = evaluate([loss], batch, params);
  return total([...value!.data]) / value!.data.length;
};

describe("gkd", () => {
  const divergence = (p: readonly number[], q: readonly number[]): number =>
    total(p.map((log, v) => Math.exp(log) * (log - q[v]!)));
  it("is the divergence of its paper", () => {
    fc.assert(
      fc.property(
        drawn,
        fc.constantFrom(0, 0.1, 0.5, 0.9, 1),
        fc.constantFrom(0.7, 1, 2),
        (data, beta, temperature) => {
          const tokens = data.policy.flatMap((rows, b) =>
            rows.map((z, t) => {
              const [s, q] = [z, data.other[b]![t]!].map((of) =>
                logSoftmax(of.map((value) => value / temperature)),
              ) as [readonly number[], readonly number[]];
              if (beta === 0) return divergence(q, s);
              if (beta === 1) return divergence(s, q);
              const m = s.map((log, v) =>
                Math.log((1 - beta) * Math.exp(log) + beta * Math.exp(q[v]!)),
              );
              return beta * divergence(q, m) + (1 - beta) * divergence(s, m);
            }),
          );
          const wanted = total(tokens) / tokens.length;
          const options: GkdOptions =
            beta === 0
              ? { divergence: "forward_kl" }
              : beta === 1
                ? { divergence: "reverse_kl" }
                : { beta };
          expect(lossOf(gkd({ ...options, temperature }), batchOf(data))).toBeCloseTo(wanted, 12);
        },
      ),
    );
  });
});

const types: readonly GrpoLoss[] = [
  "grpo",
  "bnpo",
  "dr_grpo",
  "dapo",
  "luspo",
  "cispo",
  "sapo",
  "vespo",
];

/** The loss of every token, in loops. */
function losses(
  data: Drawn,
  type: GrpoLoss,
  level: "token" | "sequence",
  beta: number,
): readonly (readonly number[])[] {
  const logps = (of: Drawn["policy"]) =>
    of.map((rows, b) => rows.map((z, t) => logSoftmax(z)[data.labels[b]![t]!]!));
  const [policy, other] = [logps(data.policy), logps(data.other)];
  return policy.map((own, b) => {
    const A = data.advantages[b]!;
    const ratios = own.map((value, t) => value - other[b]![t]!);
    const whole = total(ratios) / ratios.length;
    const w = Math.exp(Math.min(Math.max(total(ratios), Math.log(1e-8)), 20));
    const [k, λ] = A >= 0 ? [2, 3] : [3, 2];
    const phi = Math.exp(λ + k * Math.log(w) - λ * w);
    return own.map((value, t) => {
      const r = Math.exp(level === "token" ? ratios[t]! : whole);
      const clipped = Math.min(Math.max(r, 0.8), 1.2);
      const τ = A > 0 ? 1 : 1.05;
      const gain = {
        cispo: -Math.min(r, 0.2) * A * value,
        vespo: -phi * A * value,
        sapo: (-A * 4) / τ / (1 + Math.exp(-τ * (r - 1))),
        rest: -Math.min(r * A, clipped * A),
      };
      const d = other[b]![t]! - value;
      const kl = (Math.exp(d) - d - 1) * r;
      return (type in gain ? gain[type as "cispo"] : gain.rest) + beta * kl;
    });
  });
}

const reduced = (type: GrpoLoss, each: readonly (readonly number[])[]): number => {
  const [all, sums] = [each.flat(), each.map(total)];
  const over = {
    luspo: total(sums) / sums.length,
    dr_grpo: total(all) / (each.length * 7),
    mean: total(each.map((of) => total(of) / of.length)) / each.length,
    tokens: total(all) / all.length,
  };
  if (type === "luspo" || type === "dr_grpo") return over[type];
  return type === "grpo" || type === "sapo" ? over.mean : over.tokens;
};

describe.each(types)("grpo with loss_type %s", (type) => {
  const options = (level: "token" | "sequence", beta: number): GrpoOptions => ({
    loss_type: type,
    importance_sampling_level: level,
    beta,
    ...(type === "dr_grpo" ? { max_completion_length: 7 } : {}),
  });
  const levels = fc.constantFrom("token" as const, "sequence" as const);

  it("is its formula", () => {
    fc.assert(
      fc.property(drawn, levels, fc.constantFrom(0, 0.04), (data, level, beta) => {
        const wanted = reduced(type, losses(data, type, level, beta));
        const actual = lossOf(grpo(options(level, beta)), batchOf(data));
        expect(Math.abs(actual - wanted)).toBeLessThanOrEqual(
          1e-11 * Math.max(1, Math.abs(wanted)),
        );
      }),
    );
  });

  it("has the slope of its values", () => {
    fc.assert(
      fc.property(drawn, levels, fc.constantFrom(0, 0.04), (data, level, beta) => {
        expect(disagreement(grpo(options(level, beta)), batchOf(data))).toBeLessThanOrEqual(1e-6);
      }),
      { numRuns: 10 },
    );
  });
});

describe("grpo on policy", () => {
  it("has ratios of 1, and the whole gradient of the policy through them", () => {
    fc.assert(
      fc.property(drawn, (data) => {
        const all = data.advantages.flatMap((A, b) => data.labels[b]!.map(() => -A));
        const batch = batchOf(data);
        expect(lossOf(grpo({ old: "policy" }), batch)).toBeCloseTo(total(all) / all.length, 12);
      }),
    );
  });

  it("divides by a given number of tokens", () => {
    fc.assert(
      fc.property(drawn, (data) => {
        const objective = grpo({ normaliser: "given" });
        const actual = lossOf(objective, batchOf(data), { num_items_in_batch: 9 });
        const wanted = total(losses(data, "dapo", "token", 0).flat()) / 9;
        expect(Math.abs(actual - wanted)).toBeLessThanOrEqual(
          1e-11 * Math.max(1, Math.abs(wanted)),
        );
      }),
    );
  });
});

describe("rloo", () => {
  it("clips the ratio of a whole completion", () => {
    fc.assert(
      fc.property(drawn, (data) => {
        const each = data.policy.map((rows, b) => {
          const of = (z: readonly number[], t: number): number =>
            logSoftmax(z)[data.labels[b]![t]!]!;
          const r = Math.exp(total(rows.map((z, t) => of(z, t) - of(data.other[b]![t]!, t))));
          const A = data.advantages[b]!;
          return -Math.min(r * A, Math.min(Math.max(r, 0.8), 1.2) * A);
        });
        const wanted = total(each) / each.length;
        const actual = lossOf(rloo(), batchOf(data));
        expect(Math.abs(actual - wanted)).toBeLessThanOrEqual(
          1e-11 * Math.max(1, Math.abs(wanted)),
        );
      }),
    );
  });
});
