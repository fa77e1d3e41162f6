// The weight of WPO as the package exports it: the formula of wpo.ts, with a look at what it is given.

import { taking } from "../dsl/arguments.ts";
import { weight as formula } from "./wpo.ts";

/** w(x, y) = exp(1/|y| Σ_t [log π(y_t) − alignment_t]). Zhou et al. 2024 (arXiv 2406.11827). @throws PrefcError argument-kind */
export const weight: typeof formula = taking("weight", ["model", "anything", "function"], formula);
