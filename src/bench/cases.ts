// From options to what is measured together. Objectives that share logits are measured in the same rounds, a few at a time
// with DPO among them, so that ratios between them hold on a machine whose speed drifts.

import type { Device } from "../index.ts";
import { count } from "../core/build.ts";
import { topological } from "../core/node.ts";
import { cachedHeight } from "./cached.ts";
import { ceilings } from "./ceilings.ts";
import { compiledProvider, type Variant } from "./compiled.ts";
import type { LayoutKind } from "../explain/shape.ts";
import { layOut, type Layout } from "./layout.ts";
import type { Lengths } from "./lengths.ts";
import type { DeviceLogits } from "./logits.ts";
import type { Options } from "./options.ts";
import { handwrittenFor, type Handwritten } from "./handwritten.ts";
import { handwrittenProvider } from "./handprovider.ts";
import type { Place, Provider } from "./provider.ts";
import { compileSubject, type Subject } from "./subject.ts";
import { truthOn, type Truth } from "./truth.ts";

/** Subjects of a group beside the one that they are compared with. */
const groupSize = 6;

/** Subjects that are measured in the same rounds; the first of all, with which the others are compared, is in every group. */
export function groups(subjects: readonly Subject[]): readonly (readonly Subject[])[] {
  const [compared, ...others] = subjects;
  if (compared === undefined) return [];
  const made: Subject[][] = [];
  for (let first = 0; first < others.length; first += groupSize)
    made.push([compared, ...others.slice(first, first + groupSize)]);
  return made.length === 0 ? [[compared]] : made;
}

/** Layouts and truths of a shape, made once for each set of responses. */
export interface Shape {
  readonly place: (subject: Subject, padding: number) => Place;
}

export function shapeOf(device: Device, held: DeviceLogits, lengths: Lengths): Shape {
  const known = new Map<string, { layout: Layout; truth: Truth }>();
  const place = (subject: Subject, padding: number): Place => {
    const source = subject.objective;
    const { responses } = compileSubject(subject).program;
    // an objective that counts the examples itself may divide by one less, as a variance does
    const fewestExamples = topological([source.loss]).includes(count("batch")) ? 2 : 1;
    const key = JSON.stringify([responses, padding, fewestExamples]);
    const { rows, vocab } = held;
    let found = known.get(key);
    if (found === undefined) {
      const layout =
        typeof held.data === "string"
          ? layOut({ rows, vocab, padding, responses, fewestExamples, lengths })
          : held.data.layout(responses, fewestExamples);
      known.set(key, (found = { layout, truth: truthOn(layout, held) }));
    }
    return { device, held, params: subject.params, ...found };
  };
  return { place };
}

type Case = Variant & { readonly padding: number };

/** What runs beside `compiled`: the same without an option that was asked for, so that its effect is a ratio. */
function casesOf(subject: Subject, options: Options): readonly Case[] {
  const { padding, withoutMetrics, inPlace, timeoutMs } = options;
  const cachedReference = options.cachedReference && cachedHeight(subject) !== null;
  const [layout, ...others] = options.layout as readonly [LayoutKind, ...LayoutKind[]];
  const own = {
    name: "compiled",
    metrics: true,
    cachedReference,
    inPlace,
    layout,
    padding,
    timeoutMs,
  };
  const other = (name: string, changed: Partial<Case>): Case => ({ ...own, name, ...changed });
  return [
    own,
    ...(withoutMetrics ? [other("compiled-no-metrics", { metrics: false })] : []),
    ...(padding > 0 ? [other("compiled-unpadded", { padding: 0 })] : []),
    ...(cachedReference ? [other("compiled-with-reference", { cachedReference: false })] : []),
    ...others.map((kind) => other(`compiled-${kind}`, { layout: kind, inPlace: false })),
    ...(inPlace ? [other("compiled-out-of-place", { inPlace: false })] : []),
  ];
}

/** Logits on the device and how they are laid out; `single` is the same in f32, where they are stored otherwise. */
interface Held {
  readonly held: DeviceLogits;
  readonly shape: Shape;
  readonly single: Shape | null;
}
interface Asked {
  readonly kernels: readonly Handwritten[];
  readonly options: Options;
}

/** Every provider of a group, ready to run. */
export async function providersOf(
  device: Device,
  { held, shape, single }: Held,
  subjects: readonly Subject[],
  { kernels, options }: Asked,
): Promise<readonly Provider[]> {
  const made: Provider[] = [...(await ceilings(device, held))];
  try {
    for (const subject of subjects) {
      const cachedReference = options.cachedReference && cachedHeight(subject) !== null;
      const beside = await handwrittenFor(subject, kernels);
      let gradient: Float32Array | null = null;
      for (const [position, { padding, ...variant }] of casesOf(subject, options).entries()) {
        const place = shape.place(subject, padding);
        const own = await compiledProvider(place, subject, variant);
        made.push(own);
        // every kernel leaves its gradient in the same buffer, so that of the first is taken before another runs
        if (position === 0 && padding === 0 && beside.length > 0) gradient = await own.gradient();
      }
      if (single !== null) {
        const [own] = casesOf(subject, options) as readonly [Case];
        const place = single.place(subject, own.padding);
        made.push(await compiledProvider(place, subject, { ...own, name: "compiled-f32" }));
      }
      for (const written of beside) {
        const plain = shape.place(subject, 0);
        const hand = await handwrittenProvider(plain, subject, written, cachedReference, gradient);
        if (hand !== null) made.push(hand);
      }
    }
  } catch (error) {
    for (const provider of made) provider.destroy();
    throw error;
  }
  return made;
}
