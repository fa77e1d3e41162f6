// Bytes that a plan moves between memory and the cores, dispatch by dispatch, and the floor: the fewest bytes
// that any kernel could move for the same program and shape. Rows of logits are counted apart from the values
// per token that kernels hand to each other, which are smaller by the length of the vocabulary.

import type { Program } from "../pipeline/pipeline.ts";
import type { ModelName } from "../core/inputs.ts";
import type { Plan, Step } from "../plan/plan.ts";
import { demands } from "./demand.ts";
import type { ExactShape } from "./shape.ts";
import { workBytes } from "./work.ts";

/** Bytes of one dispatch. */
export interface StepBytes {
  /** Rows of logits read. */
  readonly read: number;
  /** Rows of gradient written. */
  readonly written: number;
  /** Everything else: values per token and example, labels, row maps. */
  readonly small: number;
}
/** How often the logits of one response are moved, and how often they must be. */
export interface Traffic {
  readonly model: ModelName;
  readonly response: string;
  readonly reads: number;
  /** 0 where single entries are enough. */
  readonly floorReads: number;
  readonly writes: number;
  readonly floorWrites: number;
}
/** Bytes of one direction. */
export interface DirectionBytes {
  readonly steps: readonly StepBytes[];
  readonly traffic: readonly Traffic[];
  /** Rows of logits read and of gradient written. */
  readonly moved: number;
  readonly floor: number;
  /** moved / floor. */
  readonly ratio: number;
  readonly small: number;
  /** Bytes that must be allocated beyond the logits and, apart, for the gradient (0 if it is written in place). */
  readonly memory: { readonly small: number; readonly gradient: number };
}

const word = 4;
const rowsOf = (responses: readonly string[], shape: ExactShape): number =>
  responses.reduce((sum, response) => sum + shape.rows[response]!, 0);

/** Values per token that a pass reads and writes, beside the label and the token of each row. */
function fieldsMoved({ pass, parts }: Step): number {
  if (pass === null) return 0;
  const maps = 1 + pass.models.length;
  switch (pass.kind) {
    case "online":
      if (parts?.merges === false) return maps + parts.words;
      return maps + pass.fields.length + (parts?.words ?? 0);
    case "total":
      return maps + pass.slots.length + 1;
    case "gradient": {
      const maxima = new Set(
        pass.terms.flatMap((term) => [...term.powers.map(({ model }) => model), ...term.maximal]),
      );
      return maps + pass.terms.length + pass.opaqueSlots.length + 1 + maxima.size;
    }
  }
}

function stepBytes(step: Step, shape: ExactShape): StepBytes {
  const { pass, work, kernel } = step;
  if (pass === null) return { read: 0, written: 0, small: workBytes(work!, kernel, shape) };
  const rows = rowsOf(pass.responses, shape);
  const matrix = rows * shape.vocab * shape.bytesPerEntry;
  return {
    read: step.parts?.merges === true ? 0 : matrix * pass.models.length,
    written: pass.kind === "gradient" ? matrix : 0,
    small: word * rows * fieldsMoved(step),
  };
}

/** Which round of passes each step belongs to: a row program ends a round. */
export function roundsOf(steps: readonly Step[]): readonly number[] {
  let round = 1;
  return steps.map(({ pass }, position) => {
    if (pass !== null && position > 0 && steps[position - 1]!.pass === null) round++;
    return round;
  });
}

/** Counts the bytes of one direction of a program. */
export function directionBytes(
  program: Program,
  direction: "value" | "valueAndGrad",
  { steps, rowFields, exampleSlots, scalarSlots, terms, partWords }: Plan,
  shape: ExactShape,
): DirectionBytes {
  const counted = steps.map((step) => stepBytes(step, shape));
  const order = program.responses;
  const needed = demands(program, direction).toSorted(
    (a, b) =>
      a.model.localeCompare(b.model) || order.indexOf(a.response) - order.indexOf(b.response),
  );
  const touches = (step: Step, model: ModelName, response: string): boolean =>
    step.pass !== null &&
    step.parts?.merges !== true &&
    step.pass.models.includes(model) &&
    step.pass.responses.includes(response);
  const writes = ({ pass }: Step, model: ModelName, response: string): boolean =>
    pass?.kind === "gradient" && pass.of === model && pass.responses.includes(response);
  const traffic = needed.map(({ model, response, reads, written }) => ({
    model,
    response,
    reads: steps.filter((step) => touches(step, model, response)).length,
    floorReads: reads,
    writes: steps.filter((step) => writes(step, model, response)).length,
    floorWrites: written ? 1 : 0,
  }));
  const matrix = (response: string): number =>
    shape.rows[response]! * shape.vocab * shape.bytesPerEntry;
  const floor = needed.reduce((sum, { response, reads, gathered, written }) => {
    const single = gathered ? shape.rows[response]! * shape.bytesPerEntry : 0;
    return sum + (reads + (written ? 1 : 0)) * matrix(response) + single;
  }, 0);
  const moved = counted.reduce((sum, { read, written }) => sum + read + written, 0);
  const maps = shape.totalRows * (3 + new Set(needed.map(({ model }) => model)).size);
  return {
    steps: counted,
    traffic,
    moved,
    floor,
    ratio: floor === 0 ? (moved === 0 ? 1 : Infinity) : moved / floor,
    small: counted.reduce((sum, { small }) => sum + small, 0),
    memory: {
      small:
        word *
        ((rowFields.length + 2 * terms + partWords) * shape.totalRows +
          // values per example and single ones are pairs of floats
          2 * (exampleSlots * shape.examples + scalarSlots) +
          maps),
      gradient: counted.reduce((sum, { written }) => sum + written, 0),
    },
  };
}
