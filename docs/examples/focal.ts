import { exp, mean, neg, objective, square } from "prefc";

/** Focal loss of a completion: tokens that are nearly certain count for little. Lin et al. 2017, arXiv 1708.02002, equation 4. */
export default objective(
  "focal",
  ["w"],
  ({ policy, y }) => {
    const logp = policy.logp(y.w);
    const doubt = exp(logp).times(-1).plus(1);
    return mean("token", neg(square(doubt).times(logp)));
  },
  { source: "Lin et al. 2017, arXiv 1708.02002, equation 4, with gamma 2" },
);
