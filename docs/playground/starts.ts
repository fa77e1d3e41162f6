// Modules to begin with: some that are written out, and each built-in by its name.

import focal from "../examples/focal.ts?raw";

const dpo = `import { constant, logSigmoid, neg, objective, param } from "prefc";

const beta = param("beta", 0.1);
const smoothing = param("smoothing", 0);

export default objective(
  "my-dpo",
  ["w", "l"],
  ({ policy, ref, y }) => {
    const chosen = policy.logps(y.w).minus(ref.logps(y.w));
    const rejected = policy.logps(y.l).minus(ref.logps(y.l));
    const x = beta.times(chosen.minus(rejected));
    const right = constant(1).minus(smoothing).times(logSigmoid(x));
    return neg(right).minus(smoothing.times(logSigmoid(neg(x))));
  },
  { source: "Rafailov et al. 2023, arXiv 2305.18290, equation 7, with label smoothing" },
);
`;
const simpo = `import { logSigmoid, mean, neg, objective, param } from "prefc";

const beta = param("beta", 2);
const gamma = param("gamma", 1);

// means over tokens, no reference, and a target margin
export default objective(
  "my-simpo",
  ["w", "l"],
  ({ policy, y }) => {
    const chosen = mean("token", policy.logp(y.w));
    const rejected = mean("token", policy.logp(y.l));
    return neg(logSigmoid(beta.times(chosen.minus(rejected)).minus(gamma)));
  },
  { source: "Meng et al. 2024, arXiv 2405.14734, equation 6" },
);
`;
const wpo = `import { dpo, named, sampled, withWeighting } from "prefc";

/** WPO is DPO with each pair weighted by how likely the policy is to write it. Zhou et al. 2024, arXiv 2406.11827. */
export default named("my-wpo", withWeighting(sampled)(dpo({ beta: 0.1 })));
`;

/** The modules that are written out, by the name that the list shows. */
export const written: Readonly<Record<string, string>> = {
  "DPO, written out": dpo,
  "SimPO, written out": simpo,
  "WPO, from DPO": wpo,
  "Focal loss": focal,
};

/** The module of a built-in. */
export const builtInModule = (name: string): string =>
  `import { builtIn } from "prefc";\n\nexport default builtIn(${JSON.stringify(name)});\n`;
