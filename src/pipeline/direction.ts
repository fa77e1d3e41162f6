// The passes of one direction, the value alone or the value with its gradient: which passes over the vocabulary its formulas
// need, and what row programs compute between them.

import type { Input, Node, Param } from "../core/node.ts";
import { verify } from "../core/verify.ts";
import type { Lowering } from "../plan/layout.ts";
import { simplify } from "../rewrite/simplify.ts";
import { derive, type Derivation } from "../stream/derive.ts";
import { logitsOfInput } from "../stream/fields.ts";
import { stages, type Stages } from "../stream/stages.ts";
import { verifyStages } from "../stream/verify.ts";
import type { Formulas } from "./formulas.ts";
import type { Pass } from "./pass.ts";
import { derivedSizes, stagesSizes, terms } from "./sizes.ts";

/** A direction, and what of the formulas it computes. */
export interface Direction {
  readonly name: "value" | "valueAndGrad";
  readonly formulas: Formulas;
  readonly source: Formulas["source"];
  /** Values without a vocabulary axis: the forward ones, then gradients of high inputs and of parameters. */
  readonly rows: readonly Node[];
  /** Inputs that have a number per token or example, and those that have logits. */
  readonly high: Formulas["gradients"];
  readonly low: Formulas["gradients"];
  readonly ofParams: Formulas["paramGradients"];
  /** Metrics of each example, which stand last among the rows; none unless asked for. */
  readonly each: Formulas["each"];
}
export interface Derived extends Direction {
  readonly derivation: Derivation;
}
export interface Between extends Derived {
  readonly applied: ReadonlyMap<string, number>;
}
/** The stages of one direction. */
export interface Lowered extends Lowering {
  readonly derivation: Derivation;
  readonly stages: Stages;
  /** Scalars by name: "loss", the metrics, the next values of the state, the gradients of parameters that are learned. */
  readonly scalars: readonly (readonly [name: string, node: Node])[];
  /** The loss of each example, when the objective has one. */
  readonly perExample: Node | null;
  /** Metrics that are one number per example, before they are averaged; empty unless asked for. */
  readonly each: readonly (readonly [name: string, node: Node])[];
  /** Gradients that are one number per token or example. */
  readonly highGradients: readonly { readonly input: Input; readonly node: Node }[];
}

/** What each direction is called for people. */
export const directions = { value: "value", valueAndGrad: "value and gradient" } as const;

/** @param withEach whether the metrics of each example are wanted */
export function directionOf(
  name: Direction["name"],
  formulas: Formulas,
  withEach: boolean = false,
): Direction {
  const isHigh = ({ input }: { readonly input: Input }): boolean => logitsOfInput(input) === null;
  const gradients = name === "value" ? [] : formulas.gradients;
  const ofParams = name === "value" ? [] : formulas.paramGradients;
  const high = gradients.filter(isHigh);
  const low = gradients.filter((one) => !isHigh(one));
  const each = withEach ? formulas.each : [];
  const rows = [
    ...formulas.forward,
    ...[...high, ...ofParams].map(({ node }) => node),
    ...simplify(each.map(([, node]) => node)).roots,
  ];
  return { name, formulas, source: formulas.source, rows, high, low, ofParams, each };
}

/** Running passes, and later ones for what has no running form. */
export const derivePasses: Pass<Direction, Derived> = {
  name: "derive passes",
  run: (given) => {
    const derivation = derive(given.rows, given.low);
    return { ...given, rows: derivation.rows, derivation };
  },
  sizes: ({ derivation }) => derivedSizes(derivation),
  verify: ({ derivation: { rows, forms } }, pass) =>
    verify([...rows, ...forms.map(({ atLabel }) => atLabel)], pass),
};

/** What is left of the formulas between passes. */
export const simplifyRows: Pass<Derived, Between> = {
  name: "simplify what lies between",
  run: (given) => {
    const { roots: rows, applied } = simplify(given.rows);
    return { ...given, rows, applied };
  },
  applied: ({ applied }) => applied,
  ...terms(({ rows }) => rows),
};

/** Equal work of different responses is stacked, and put in order. */
export const stage: Pass<Between, Lowered> = {
  name: "stage",
  run: ({ derivation, rows, formulas, low, high, ofParams, each }) => {
    const gradients = low.map(({ input }, position) => ({
      ...logitsOfInput(input)!,
      form: derivation.forms[position]!,
    }));
    const { forward, perExample } = formulas;
    const scalars = perExample === null ? forward.length : forward.length - 1;
    const names = [
      "loss",
      ...Object.keys(formulas.metrics),
      ...Object.keys(formulas.next).map((name) => `next ${name}`),
    ];
    return {
      derivation,
      stages: stages(derivation, gradients, formulas.options.fusion),
      scalars: [
        ...names.map((name, position) => [name, rows[position]!] as const),
        ...ofParams.map(
          ({ param }, position) =>
            [gradientName(param), rows[forward.length + high.length + position]!] as const,
        ),
      ],
      perExample: perExample === null ? null : rows[scalars]!,
      each: each.map(
        ([name], position) =>
          [name, rows[forward.length + high.length + ofParams.length + position]!] as const,
      ),
      highGradients: high.map(({ input }, position) => ({
        input,
        node: rows[forward.length + position]!,
      })),
    };
  },
  sizes: ({ stages: made }) => stagesSizes(made),
  verify: ({ stages: made, scalars, perExample, each, highGradients }) =>
    verifyStages(made, [
      ...[...scalars, ...each].map(([, node]) => node),
      ...(perExample === null ? [] : [perExample]),
      ...highGradients.map(({ node }) => node),
    ]),
};

/** The name under which the gradient of a parameter is returned. */
export const gradientName = ({ name }: Pick<Param, "name">): string => `param.${name}`;
