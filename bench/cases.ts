// From options to what is measured together. Objectives that share logits are measured in the same rounds, a few at a time
// with DPO among them, so that ratios between them hold on a machine whose speed drifts.

import { builtIn, compile, type Device } from "../src/index.ts";
import { count } from "../src/core/build.ts";
import { topological } from "../src/core/node.ts";
import { cachedHeight } from "./cached.ts";
import { ceilings } from "./ceilings.ts";
import { compiledProvider, type Variant } from "./compiled.ts";
import { expertProvider, isWrittenByHand } from "./expert.ts";
import { layOut, type Layout } from "./layout.ts";
import type { DeviceLogits } from "./logits.ts";
import type { Options } from "./options.ts";
import type { Place, Provider } from "./provider.ts";
import { truthOn, type Truth } from "./truth.ts";

/** Objectives of a group beside the one that they are compared with. */
const groupSize = 6;
export const baseline = "dpo";

/** Objectives that are measured in the same rounds; the baseline, if it is measured at all, is in every group. */
export function groups(objectives: readonly string[]): readonly (readonly string[])[] {
  const compared = objectives.includes(baseline) ? [baseline] : [];
  const others = objectives.filter((name) => name !== baseline);
  const made: string[][] = [];
  for (let first = 0; first < others.length; first += groupSize)
    made.push([...compared, ...others.slice(first, first + groupSize)]);
  return made.length === 0 ? [compared] : made;
}

/** Layouts and truths of a shape, made once for each set of responses. */
export interface Shape {
  readonly place: (objective: string, padding: number) => Place;
}

export function shapeOf(device: Device, held: DeviceLogits): Shape {
  const known = new Map<string, { layout: Layout; truth: Truth }>();
  const place = (objective: string, padding: number): Place => {
    const source = builtIn(objective);
    const { responses } = compile(source).program;
    // an objective that counts the examples itself may divide by one less, as a variance does
    const fewestExamples = topological([source.loss]).includes(count("batch")) ? 2 : 1;
    const key = JSON.stringify([responses, padding, fewestExamples]);
    const { rows, vocab } = held;
    let found = known.get(key);
    if (found === undefined) {
      const layout = layOut({ rows, vocab, padding, responses, fewestExamples });
      known.set(key, (found = { layout, truth: truthOn(layout, held) }));
    }
    return { device, held, ...found };
  };
  return { place };
}

type Case = Variant & { readonly padding: number };

/** What runs beside `compiled`: the same without an option that was asked for, so that its effect is a ratio. */
function casesOf(objective: string, options: Options): readonly Case[] {
  const { padding, withoutMetrics, inPlace } = options;
  const cachedReference = options.cachedReference && cachedHeight(objective) !== null;
  const own = { name: "compiled", metrics: true, cachedReference, inPlace, padding };
  const other = (name: string, changed: Partial<Case>): Case => ({ ...own, name, ...changed });
  return [
    own,
    ...(withoutMetrics ? [other("compiled-no-metrics", { metrics: false })] : []),
    ...(padding > 0 ? [other("compiled-unpadded", { padding: 0 })] : []),
    ...(cachedReference ? [other("compiled-with-reference", { cachedReference: false })] : []),
    ...(inPlace ? [other("compiled-out-of-place", { inPlace: false })] : []),
  ];
}

/** Every provider of a group, ready to run. `single` is the same shape in f32, where `shape` is stored otherwise. */
export async function providersOf(
  device: Device,
  held: DeviceLogits,
  shape: Shape,
  single: Shape | null,
  objectives: readonly string[],
  options: Options,
): Promise<readonly Provider[]> {
  const made: Provider[] = [...(await ceilings(device, held))];
  for (const objective of objectives) {
    const plain = shape.place(objective, 0);
    const hand = isWrittenByHand(objective, plain)
      ? await expertProvider(plain, objective, options.cachedReference)
      : null;
    const witness = hand?.gradient ?? null;
    for (const { padding, ...variant } of casesOf(objective, options)) {
      const place = shape.place(objective, padding);
      const beside = padding === 0 ? witness : null;
      made.push(await compiledProvider(place, objective, variant, beside));
    }
    if (single !== null) {
      const [own] = casesOf(objective, options) as readonly [Case];
      const place = single.place(objective, own.padding);
      made.push(await compiledProvider(place, objective, { ...own, name: "compiled-f32" }, null));
    }
    if (hand !== null) made.push(hand.provider);
  }
  return made;
}
