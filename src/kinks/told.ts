// Kinks in words: the term, where it lies on its kink, which slope prefc takes, and what others give.

import type { Batch } from "../batch/batch.ts";
import { printExpression } from "../core/infix.ts";
import { substitute } from "../core/build.ts";
import { logpFromLogits, logpInput, logpsFromLogits, logpsInput } from "../core/inputs.ts";
import { topological, type Input, type Node } from "../core/node.ts";
import { placesOf, type Kink, type Kinks } from "./find.ts";
import type { Spelling } from "./sites.ts";
import { slopes } from "./slopes.ts";

/** A kink as it is told. */
export interface ToldKink {
  /** The expression on one line, abbreviated. */
  readonly term: string;
  /** What is equal there, and at how many places. */
  readonly point: string;
  /** The slope that prefc takes. */
  readonly takes: string;
  /** What PyTorch and JAX give. */
  readonly others: string;
}

const longest = 120;

/** The expression with log π(y) and log π(y_t) as one word each, as a batch may bring them. */
function abbreviated(node: Node): Node {
  const order = topological([node]);
  const words = new Map<Node, Node>();
  for (const { datum } of order.filter((one): one is Input => one.tag === "input")) {
    if (datum.kind !== "logits") continue;
    const { model, response } = datum;
    words.set(logpFromLogits(model, response), logpInput(model, response));
    words.set(logpsFromLogits(model, response), logpsInput(model, response));
  }
  return substitute([node], (rebuilt, original) => words.get(original) ?? rebuilt, order)[0]!;
}

const shown = (node: Node): string => {
  const text = printExpression(abbreviated(node), 12);
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
};

const points: Readonly<Record<Spelling, string>> = {
  maximum: "its operands are equal",
  minimum: "its operands are equal",
  relu: "its operand is 0",
  abs: "its operand is 0",
  sqrt: "its operand is 0",
  clamp: "the value is at its bound",
  where: "both sides of the comparison are equal",
  clampedExp: "the exponent is at its bound",
  max: "several entries are the largest",
  sort: "several numbers are equal",
};

/** The kinks that a batch lies on, each once. */
export function toldKinks({ kinks, contests }: Kinks, batch: Batch): readonly ToldKink[] {
  const told = (spelling: Spelling, node: Node, places: string): ToldKink => ({
    term: shown(node),
    point: `${points[spelling]}${places}`,
    takes: slopes[spelling].prefc,
    others: slopes[spelling].others,
  });
  const at = (kink: Kink): string => {
    const [on, of] = placesOf(kink, batch);
    const noise = kink.isNoise ? ", up to the rounding of log-probabilities" : "";
    return of === 1 ? noise : ` at ${on} of ${of} places${noise}`;
  };
  return [
    ...kinks.map((kink) => told(kink.bend.spelling, kink.bend.node, at(kink))),
    ...contests.map(({ spelling, node }) => told(spelling, node, "")),
  ];
}

/** A kink in one sentence. */
export const kinkText = ({ term, point, takes, others }: ToldKink): string =>
  `${term}: ${point}, and prefc takes ${takes}; ${others}`;
