// Objectives from papers that ship with nobody: each is written from its equation, so that emitted files are held to formulas
// that no one had in mind when they were made.
import {
  abs,
  clamp,
  constant,
  count,
  exp,
  expm1,
  log,
  log1mExp,
  logSigmoid,
  logSoftmax,
  logSumExp,
  max,
  maximum,
  mean,
  minimum,
  neg,
  objective,
  param,
  pow,
  prompt,
  real,
  relu,
  sigmoid,
  sort,
  sqrt,
  square,
  state,
  stopGrad,
  sum,
  tanh,
  variance,
  where,
  type Build,
  type Expr,
  type Given,
  type Objective,
  type PerExample,
  type Response,
} from "../../src/index.ts";

type Pair = "w" | "l";
type G = Given<Pair>;
const paired = (name: string, source: string, build: Build<Pair>): Objective =>
  objective(name, ["w", "l"], build, { source });

const h = <R extends Pair>({ policy, ref }: G, y: Response<R>): Expr<PerExample> =>
  policy.logps(y).minus(ref.logps(y));
const delta = (g: G): Expr<PerExample> => h(g, g.y.w).minus(h(g, g.y.l));
const β = (): Expr => param("beta", 0.1);
const average = <R extends Pair>({ policy }: G, y: Response<R>): Expr<PerExample> =>
  policy.logps(y).over(count("token", y));
const entropy = <R extends Pair>({ policy }: G, y: Response<R>): Expr<PerExample> => {
  const logPi = logSoftmax("vocab", policy.logits(y));
  return neg(mean("token", sum("vocab", exp(logPi).times(logPi))));
};

export const formulas: readonly Objective[] = [
  paired("odpo", "Amini et al. 2024, arXiv 2402.10571: an offset of the margin", (g) =>
    neg(
      logSigmoid(
        β()
          .times(delta(g))
          .minus(param("alpha", 1).times(log(g.example("gap")))),
      ),
    ),
  ),
  paired("dpo-positive", "Pal et al. 2024, arXiv 2402.13228, equation 3", (g) => {
    const penalty = maximum(neg(h(g, g.y.w)), 0);
    return neg(logSigmoid(β().times(delta(g).minus(param("lambda", 5).times(penalty)))));
  }),
  paired("tr-dpo", "Gorbatovski et al. 2024, arXiv 2404.09656: a mixed reference", (g) => {
    const mixed = <R extends Pair>(y: Response<R>): Expr<PerExample> =>
      g.policy.logps(y).minus(g.ref.logps(y).times(param("mixture", 0.6)));
    return neg(logSigmoid(β().times(mixed(g.y.w).minus(mixed(g.y.l)))));
  }),
  paired("rrhf", "Yuan et al. 2023, arXiv 2304.05302, equations 2 and 4", (g) =>
    relu(average(g, g.y.l).minus(average(g, g.y.w))).minus(average(g, g.y.w)),
  ),
  paired("dr-dpo", "Wu et al. 2024, arXiv 2407.07880: a soft minimum over the batch", (g) => {
    const each = logSigmoid(β().times(delta(g)));
    const scaled = each.over(param("beta_prime", 1));
    return neg(param("beta_prime", 1).times(logSumExp("batch", scaled).minus(log(count("batch")))));
  }),
  paired("focal preference", "Liu et al. 2025, arXiv 2501.06645: hard pairs count less", (g) => {
    const x = β().times(delta(g));
    return neg(pow(sigmoid(x), param("gamma", 2)).times(logSigmoid(x)));
  }),
  paired("chi-squared po", "Huang et al. 2024, arXiv 2407.13399, equation 7", (g) => {
    const φ = (x: Expr<PerExample>): Expr<PerExample> =>
      exp(clamp(x, { min: -88, max: 20 })).plus(x);
    const margin = β().times(φ(h(g, g.y.w)).minus(φ(h(g, g.y.l))));
    return neg(logSigmoid(clamp(margin, { min: -2, max: 2 })));
  }),
  paired("entropy bonus", "Mnih et al. 2016, arXiv 1602.01783, on top of equation 7 of DPO", (g) =>
    neg(logSigmoid(β().times(delta(g)))).minus(param("bonus", 0.01).times(entropy(g, g.y.w))),
  ),
  paired("renyi", "Rényi 1961, order 2: the collision entropy of each token", (g) => {
    const logPi = logSoftmax("vocab", g.policy.logits(g.y.w));
    return neg(average(g, g.y.w)).plus(
      mean("token", log(sum("vocab", square(exp(logPi))))).times(param("weight", 0.1)),
    );
  }),
  paired("tsallis", "Tsallis 1988, order 1.5, in place of an entropy", (g) => {
    const logPi = logSoftmax("vocab", g.policy.logits(g.y.l));
    const order = sum("vocab", exp(logPi.times(param("q", 1.5))));
    return neg(average(g, g.y.w)).plus(mean("token", constant(1).minus(order)));
  }),
  paired("token kl", "Zeng et al. 2024, arXiv 2404.11999: the divergence the other way", (g) => {
    const [p, r] = [
      logSoftmax("vocab", g.policy.logits(g.y.w)),
      logSoftmax("vocab", g.ref.logits(g.y.w)),
    ];
    const divergence = mean("token", sum("vocab", exp(p).times(p.minus(r))));
    return neg(logSigmoid(β().times(delta(g)))).plus(param("coefficient", 0.2).times(divergence));
  }),
  paired(
    "length penalty",
    "Park et al. 2024, arXiv 2403.19159, with a logarithm of lengths",
    (g) => {
      const longer = log(count("token", g.y.w)).minus(log(count("token", g.y.l)));
      return neg(logSigmoid(β().times(delta(g)).minus(param("alpha", 0.5).times(longer))));
    },
  ),
  paired(
    "truncated ratio",
    "Schulman et al. 2017, arXiv 1707.06347, equation 7, of sequences",
    (g) => {
      const ratio = exp(h(g, g.y.w));
      const advantage = g.example("advantage");
      const kept = clamp(ratio, { min: 0.8, max: 1.2 });
      return neg(minimum(ratio.times(advantage), kept.times(advantage)));
    },
  ),
  paired("unlikelihood", "Welleck et al. 2019, arXiv 1908.04319, equation 4", (g) =>
    neg(mean("token", g.policy.logp(g.y.w))).minus(
      mean("token", log1mExp(minimum(g.policy.logp(g.y.l), -1e-3))),
    ),
  ),
  paired("spread", "an unbiased variance of the margins as a penalty", (g) => {
    const x = β().times(delta(g));
    return neg(logSigmoid(x)).plus(param("spread", 0.1).times(variance("batch", x)));
  }),
  paired("quantile match", "after Melnyk et al. 2024, arXiv 2406.05882, squared", (g) =>
    square(
      sort("batch", h(g, g.y.w))
        .minus(sort("batch", h(g, g.y.l)))
        .minus(1),
    ),
  ),
  paired("pseudo-huber", "Charbonnier et al. 1997 of the margin of IPO", (g) =>
    sqrt(square(delta(g).minus(constant(1).over(β().times(2)))).plus(1)).minus(1),
  ),
  paired("exponential loss", "Freund and Schapire 1997, of a bounded margin", (g) =>
    expm1(neg(tanh(β().times(delta(g))))).plus(1),
  ),
  paired("greedy gap", "the distance to the likeliest token, capped", (g) => {
    const best = max("vocab", logSoftmax("vocab", g.policy.logits(g.y.w)));
    const gap = best.minus(g.policy.logp(g.y.w));
    return mean("token", where(gap.gt(2), constant(2).plus(0.1).minus(0.1), gap));
  }),
  paired(
    "prompt likelihood",
    "Hong et al. 2024, arXiv 2403.07691, with prompts read apart",
    (g) => {
      const before = prompt(g.y.w);
      const all = sum("token", g.policy.logp(before)).plus(g.policy.logps(g.y.w));
      return neg(all.over(count("token", before).plus(count("token", g.y.w))));
    },
  ),
  objective(
    "moving baseline",
    ["y"],
    (g) => {
      const reward = β().times(g.policy.logps(g.y.y).minus(g.ref.logps(g.y.y)));
      const baseline = state("baseline", 0);
      const next = baseline.times(0.9).plus(stopGrad(mean("batch", reward)).times(0.1));
      const sign = real(g.flag("good")).times(2).minus(1);
      return {
        loss: neg(logSigmoid(sign.times(reward.minus(baseline)))),
        next: { baseline: next },
      };
    },
    { source: "Williams 1992, a baseline that moves, with a logistic loss" },
  ),
  paired("absolute gap", "mean absolute error of average log-ratios", (g) =>
    abs(average(g, g.y.w).minus(average(g, g.y.l)).minus(g.example("gap"))),
  ),
  objective(
    "two teachers",
    ["y"],
    ({ policy, teacher, expert, y }: Given<"y", "teacher" | "expert">) => {
      const [p, t, e] = [policy, teacher, expert].map((m) => logSoftmax("vocab", m.logits(y.y)));
      const toTeacher = sum("vocab", exp(p!).times(p!.minus(t!)));
      const fromExpert = sum("vocab", exp(e!).times(e!.minus(p!)));
      const between = max("vocab", abs(t!.minus(e!)));
      return mean("token", toTeacher.plus(fromExpert.times(between)));
    },
    { models: ["teacher", "expert"], source: "after Agarwal et al. 2023, arXiv 2306.13649" },
  ),
  objective(
    "old policy",
    ["y"],
    ({ policy, ref, old, y, example }: Given<"y", "old">) => {
      const ratio = exp(policy.logp(y.y).minus(old.logp(y.y)));
      const kl = policy.logps(y.y).minus(ref.logps(y.y));
      return mean("token", ratio.times(example("advantages"))).minus(β().times(kl));
    },
    { models: ["old"], source: "Schulman et al. 2017, arXiv 1707.06347, equation 6" },
  ),
];
