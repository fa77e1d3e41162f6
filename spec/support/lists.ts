// Objectives over lists of responses, each of which reads the axis in another way, and a batch whose lists differ in length.
import {
  count,
  exp,
  fromResponses,
  iota,
  list,
  logSoftmax,
  logSumExp,
  max,
  mean,
  neg,
  objective,
  other,
  real,
  relu,
  runningLogSumExp,
  runningMax,
  runningSum,
  sqrt,
  square,
  sum,
  where,
  type Batch,
  type ObjectiveOf,
} from "../../src/index.ts";

const about = { source: "a test" };
const lists = [list("y")] as const;
type OfLists = ObjectiveOf<"y[]">;

const sums = objective(
  "sums",
  lists,
  ({ policy, ref, y }) => {
    const s = policy.logps(y.y).minus(ref.logps(y.y)).times(0.25);
    return mean("response", square(s)).plus(max("response", s)).plus(logSumExp("response", s));
  },
  about,
);
/** Advantages within a group weigh the tokens of their responses. */
const groups = objective(
  "groups",
  lists,
  ({ policy, y, reward, each }) => {
    const r = reward(y.y);
    const centred = r.minus(mean("response", r));
    const advantage = centred.over(sqrt(mean("response", square(centred)).plus(0.01)));
    const score = mean("token", policy.logp(y.y).times(advantage).times(each("weight", y.y)));
    return neg(mean("response", score.times(count("token", y.y))));
  },
  about,
);
/** Beside a single response, whose tokens are stacked with them. */
const beside = objective(
  "beside",
  ["w", list("y")],
  ({ policy, ref, y, tokens }) => {
    const target = exp(logSoftmax("response", ref.logps(y.y).times(0.1)));
    const listwise = neg(
      sum("response", target.times(logSoftmax("response", policy.logps(y.y).times(0.1)))),
    );
    const weighed = sum("token", policy.logp(y.y).times(tokens("given", y.y)));
    const single = mean("token", policy.logp(y.w)).times(count("response", y.y));
    return listwise.minus(single).plus(mean("response", relu(weighed.minus(single))));
  },
  about,
);
export const plackett: OfLists = objective(
  "plackett",
  lists,
  ({ policy, ref, y }) => {
    const s = policy.logps(y.y).minus(ref.logps(y.y)).times(0.1);
    return sum("response", runningLogSumExp("response", s, { from: "end" }).minus(s));
  },
  about,
);
const ranks = objective(
  "ranks",
  lists,
  ({ policy, y, reward }) => {
    const [s, r] = [mean("token", policy.logp(y.y)), reward(y.y)];
    const wrong = where(r.gt(other(r)), relu(other(s).minus(s).plus(0.5)), 0);
    return sum("response", sum("other", wrong)).minus(mean("response", s));
  },
  about,
);
const running = objective(
  "running",
  lists,
  ({ policy, y }) => {
    const s = mean("token", policy.logp(y.y));
    const position = real(iota("response", y.y)).plus(1);
    const total = runningSum("response", s, { from: "start" }).over(position);
    return sum("response", runningMax("response", s, { from: "start" }).times(total));
  },
  about,
);

/** Each construct over lists at least once. */
export const listObjectives: readonly ObjectiveOf<never>[] = [
  sums,
  groups,
  beside,
  plackett,
  ranks,
  running,
] as readonly ObjectiveOf<string>[] as readonly ObjectiveOf<never>[];

/** Logits without a pattern. */
export const logitsOf = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => 2 * Math.sin(12.9898 * (i + 1) + 78.233 * seed));

/** Responses of each example by their lengths, over a vocabulary; the n-th token of all is n modulo its size. */
export function listBatch(
  lengths: readonly (readonly number[])[],
  vocab: number,
  more: { readonly reward?: readonly number[] } = {},
): Batch {
  let next = 0;
  const labels = lengths.map((own) =>
    own.map((length) => Array.from({ length }, () => next++ % vocab)),
  );
  return fromResponses({
    y: {
      labels,
      policy_logits: logitsOf(next * vocab, 1),
      ref_logits: logitsOf(next * vocab, 2),
      ...more,
    },
  });
}
