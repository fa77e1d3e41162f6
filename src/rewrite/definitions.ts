// Operators that are defined by others give way to what they are made of: one rule for each row with a definition, so that
// every rule for the others serves these too.

import { binary, unary } from "../core/build.ts";
import { binaryNames, binaryOps, unaryNames, unaryOps } from "../core/ops.ts";
import { nodes } from "../core/smart.ts";
import { rule, variable, type Rule } from "./rule.ts";

export const definitions: readonly Rule[] = [
  ...unaryNames.flatMap((op) => {
    const { definition, sample } = unaryOps[op];
    const x = variable("x", { domain: sample });
    return definition === undefined
      ? []
      : [rule(`define-${op}`, unary(op, x), definition(nodes, x))];
  }),
  ...binaryNames.flatMap((op) => {
    const { definition, sample } = binaryOps[op];
    const [a, b] = [variable("a", { domain: sample[0] }), variable("b", { domain: sample[1] })];
    return definition === undefined
      ? []
      : [rule(`define-${op}`, binary(op, a, b), definition(nodes, a, b))];
  }),
];
