// What a life with faults is lived with: every kind of fault, and small random objectives and batches.
import fc from "fast-check";
import { dpo, objective, sft, wpo, logPi, sum, mean, exp } from "../../src/index.ts";
import { asPacked, asSeparate, asTrl, contentOf, draws } from "../gpu/batches.ts";
import type { Fault } from "./injector.ts";
import type { Given } from "./scenario.ts";

/** After which a device is gone, and a run is repeated on the next one. */
export const losses: readonly Fault[] = ["lost before", "lost after", "reset"];

/** After which the device lives, and a run ends in a sentence. */
export const failures: readonly Fault[] = [
  "throws before",
  "throws after",
  "uncaptured",
  "invalid",
  "out of memory",
  "null",
  "aborts",
  "fails",
  "complains",
];

/** Two models in one loop over the vocabulary, and back. */
const divergence = objective(
  "divergence",
  ["w", "l"],
  ({ policy, ref, y }) =>
    mean("token", sum("vocab", exp(logPi(policy, y.w)).times(logPi(ref, y.w)))).minus(
      mean("token", sum("vocab", exp(logPi(ref, y.l)).times(logPi(policy, y.l)))),
    ),
  { source: "written for this test" },
);

const objectives = { sft: sft(), dpo: dpo(), wpo: wpo({ stop: false }), divergence };
const layouts = { asTrl, asPacked, asSeparate };
const nameIn = <Name extends string>(table: Readonly<Record<Name, unknown>>): fc.Arbitrary<Name> =>
  fc.constantFrom(...(Object.keys(table) as Name[]));

/** The adapter of this run's tests. */
export const adapterName: string = process.env["PREFC_ADAPTER"] ?? "auto";

/** Longer than any run here takes; what hangs is given less. */
export const patience = 60_000;

/** What a life is drawn from: an objective, and two batches of different shape. */
const drawnLives = fc.record({
  objective: nameIn(objectives),
  order: fc.constantFrom("in turn" as const, "in flight" as const),
  layout: nameIn(layouts),
  batches: fc.tuple(draws({ masked: false }), draws({ masked: false })),
});

/** A drawn life as it is lived; the drawing itself is what a failure prints. */
export interface DrawnLife {
  readonly given: Given;
  readonly [fc.toStringMethod]: () => string;
}

export const livesOn = (adapter: string): fc.Arbitrary<DrawnLife> =>
  drawnLives.map((drawn) => {
    const layout = layouts[drawn.layout];
    const [one, two] = drawn.batches;
    return {
      given: {
        objective: objectives[drawn.objective],
        batches: [layout(contentOf(one)), layout(contentOf(two))],
        order: drawn.order,
        adapter,
        timeoutMs: patience,
      },
      [fc.toStringMethod]: () => JSON.stringify(drawn),
    };
  });

export const lives: fc.Arbitrary<DrawnLife> = livesOn(adapterName);

/** The objective with the fewest calls, for tests that go through all of them. */
export const smallest = (order: Given["order"], adapter: string): Given => {
  const content = (seed: number): ReturnType<typeof asSeparate> =>
    asSeparate(
      contentOf({
        examples: 2,
        vocab: 5,
        lengths: { w: [2, 1], l: [1, 1] },
        scale: "normal",
        masked: false,
        seed,
      }),
    );
  return {
    objective: sft(),
    batches: [content(1), content(2)],
    order,
    adapter,
    timeoutMs: patience,
  };
};
