// Where every value of a plan lies, decided before any code is generated: fields of rows, slots of examples and scalars, and
// parameters. Generators look values up; one that asks for a value that was not laid out is a bug.

import { rowsAmong } from "../core/axis.ts";
import { stackedName } from "../core/datum.ts";
import { fail } from "../core/error.ts";
import type { Input, Node, Param } from "../core/node.ts";
import { cite } from "../core/quote.ts";
import { fieldKey } from "../stream/fields.ts";
import type { Stages } from "../stream/stages.ts";

/** What a direction of a program computes, as the planner reads it. */
export interface Lowering {
  readonly stages: Stages;
  readonly scalars: readonly (readonly [name: string, node: Node])[];
  readonly perExample: Node | null;
  /** Metrics of each example; none unless asked for. */
  readonly each: readonly (readonly [name: string, node: Node])[];
  readonly highGradients: readonly { readonly input: Input; readonly node: Node }[];
}
export interface Inputs {
  readonly responses: readonly string[];
  readonly inputs: readonly Input[];
  readonly params: readonly Param[];
}
/** Data of the batch that the row programs read. */
export interface Upload {
  readonly input: string;
  readonly response: string | null;
  /** A row field for a number per token or response of a list, an example slot for a number per example. */
  readonly slot: number;
}
/** A gradient that is one number per token or example, and where it is found. */
export interface HighGradient {
  readonly input: string;
  readonly response: string | null;
  readonly slot: number;
}

/** A metric of each example, and the slot of examples where it is found. */
export interface Each {
  readonly name: string;
  readonly slot: number;
}

export interface ValueLayout {
  readonly rowFields: readonly string[];
  /** Slots of examples that the batch fills, or that are read back. */
  readonly exampleSlots: number;
  readonly tokenUploads: readonly Upload[];
  readonly exampleUploads: readonly Upload[];
  /** Scalars that are read back, in the order of their slots from 0. */
  readonly scalars: readonly string[];
  /** The slot of the loss of each example; null where there is none. */
  readonly perExample: number | null;
  /** The slots of the metrics of each example. */
  readonly each: readonly Each[];
  readonly highGradients: readonly HighGradient[];
  /** @throws PrefcError "value-not-laid-out" */
  readonly fieldIndex: (field: string) => number;
  /** @throws PrefcError "value-not-laid-out" */
  readonly exampleSlot: (name: string) => number;
  /** @throws PrefcError "value-not-laid-out" */
  readonly paramSlot: (name: string) => number;
  /** How many vectors of four hold the parameters. */
  readonly paramVectors: number;
}

/** Places of one kind, in the order in which they are asked for first. */
function places(what: string): {
  readonly names: string[];
  readonly add: (name: string) => number;
  readonly find: (name: string) => number;
} {
  const names: string[] = [];
  const known = new Map<string, number>();
  return {
    names,
    add: (name) => {
      const place = known.get(name) ?? names.push(name) - 1;
      known.set(name, place);
      return place;
    },
    find: (name) =>
      known.get(name) ??
      fail(
        "value-not-laid-out",
        `The ${what} ${cite(name)} has no place in a buffer; this is a bug of prefc, so please report it with the objective.`,
      ),
  };
}

export function layOut({ stages, ...lowering }: Lowering, given: Inputs): ValueLayout {
  const fields = places("row field");
  const examples = places("value of an example");
  const params = places("parameter");
  for (const { name } of given.params) params.add(name);

  // ---- data that the batch brings for tokens and examples
  const tokenUploads: Upload[] = [];
  const exampleUploads: Upload[] = [];
  for (const input of given.inputs) {
    if (input.dtype === "i32" || input.axes.includes("vocab")) continue;
    const response = rowsAmong(input.axes);
    if (response === null)
      exampleUploads.push({ input: input.name, response, slot: examples.add(input.name) });
    else
      tokenUploads.push({
        input: input.name,
        response,
        slot: fields.add(stackedName(input.datum)),
      });
  }
  // ---- what passes leave, what is read back, and what row programs hand to passes
  for (const pass of stages.passes) {
    if (pass.kind === "online") for (const spec of pass.fields) fields.add(fieldKey(spec));
    else fields.add(fieldKey({ kind: "total", index: pass.index }));
  }
  const perExample = lowering.perExample === null ? null : examples.add("loss of the example");
  const each = lowering.each.map(([name]) => ({
    name,
    slot: examples.add(`metric of the example: ${name}`),
  }));
  const highGradients = lowering.highGradients.map(({ input }): HighGradient => {
    const response = rowsAmong(input.axes);
    const name = `gradient of ${response === null ? input.name : stackedName(input.datum)}`;
    const slot = response === null ? examples.add(name) : fields.add(name);
    return { input: input.name, response, slot };
  });
  for (let round = 1; round <= stages.lastRound; round++)
    for (const { field } of stages.outputs.get(round) ?? []) fields.add(field);

  return {
    rowFields: fields.names,
    exampleSlots: examples.names.length,
    tokenUploads,
    exampleUploads,
    scalars: lowering.scalars.map(([name]) => name),
    perExample,
    each,
    highGradients,
    fieldIndex: fields.find,
    exampleSlot: examples.find,
    paramSlot: params.find,
    paramVectors: Math.max(1, Math.ceil(params.names.length / 2)),
  };
}
