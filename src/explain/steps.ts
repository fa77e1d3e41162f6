// What one dispatch of a plan does, in words: its kind, what it reads, what it leaves, and the terms of the objective that need it.

import type { Program } from "../pipeline/pipeline.ts";
import { printExpression } from "../core/print.ts";
import type { Plan, Step } from "../plan/plan.ts";
import { describeField } from "../stream/fields.ts";
import { describeGradientTerm, servedTerms, sourceTerms, type SourceTerm } from "./terms.ts";
import { workLeaves } from "./work.ts";

/** What a dispatch does. */
export interface Description {
  readonly kind: "running pass" | "merge of parts" | "extra pass" | "row program" | "gradient pass";
  readonly models: readonly string[];
  readonly responses: readonly string[];
  /** What it leaves for each row, or at the end. */
  readonly leaves: readonly string[];
  /** The terms of the objective that need it. */
  readonly serves: readonly SourceTerm[];
}

/** Describes a dispatch; `isLast` where no pass over the vocabulary but those of the gradient follows. */
export function describeStep(
  { pass, parts, work }: Step,
  isLast: boolean,
  program: Program,
  plan: Plan,
): Description {
  if (pass === null) {
    const kind = "row program";
    const leaves = workLeaves(work!, isLast ? "gradient" : "next", plan);
    return { kind, models: [], responses: plan.responses, leaves, serves: [] };
  }
  const { models } = pass;
  const responses = program.responses.filter((response) => pass.responses.includes(response));
  switch (pass.kind) {
    case "online":
      return {
        kind: parts?.merges === true ? "merge of parts" : "running pass",
        models,
        responses,
        leaves:
          parts?.merges === false
            ? [`accumulators of each part of a row, ${parts.words} words in all`]
            : pass.fields.map(describeField),
        serves: servedTerms(pass.sources),
      };
    case "total": {
      const result = describeField({ kind: "total", index: pass.index });
      return {
        kind: "extra pass",
        models,
        responses,
        leaves: [result],
        serves: servedTerms(pass.sources),
      };
    }
    case "gradient": {
      const terms = [...pass.terms.map(describeGradientTerm), "the label's entry"];
      const own = program.gradients.filter(
        ({ input: { datum } }) =>
          datum.kind === "logits" && datum.model === pass.of && responses.includes(datum.response),
      );
      return {
        kind: "gradient pass",
        models,
        responses,
        leaves: [`d loss / d z (${pass.of}) = ${terms.join(" + ")}`],
        serves: sourceTerms(
          own.map(({ input }) => input),
          (node) => `d loss / d ${printExpression(node)}`,
        ),
      };
    }
  }
}
