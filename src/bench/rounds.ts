// Measures providers in rounds: each round takes one sample of every provider and clock, so that a machine which slows down
// slows all of them; the order turns from round to round; caches are emptied before each sample, and the first rounds are
// not counted. Waits sleep before they poll (runtime/device/wait.ts).

import type { Device } from "../index.ts";
import { finished } from "../runtime/device/wait.ts";
import { cut, lanesOf } from "../measure/ceilings.ts";
import { bind, handwritten, maker, run } from "../measure/dispatch.ts";
import type { Clock, Direction } from "./options.ts";
import type { Provider } from "./provider.ts";

/** Milliseconds in the order of the rounds, by clock and direction. */
export type Samples = Readonly<Partial<Record<`${Clock} ${Direction}`, readonly number[]>>>;

export interface RoundOptions {
  readonly repeats: number;
  readonly warmUps: number;
  readonly clocks: readonly Clock[];
  /** Empties the caches. Before a sample of the GPU's clock it is not waited for: a GPU that rests for a moment is slower. */
  readonly flush: (clock: Clock) => Promise<void>;
  /** Told before each sample: how much of the whole is done, and what comes. */
  readonly onSample: (done: number, what: string) => void;
}

/** Samples of each provider, in the order of the providers. */
export async function measureRounds(
  providers: readonly Provider[],
  { repeats, warmUps, clocks, flush, onSample }: RoundOptions,
): Promise<readonly Samples[]> {
  const taken = providers.map((): Partial<Record<`${Clock} ${Direction}`, number[]>> => ({}));
  const rounds = warmUps + repeats;
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < providers.length; turn++) {
      const index = (turn + round) % providers.length;
      const { name, objective, sample, prepare } = providers[index]!;
      const what = `${objective === null ? name : `${objective}, ${name}`}: round ${Math.max(0, round - warmUps + 1)} of ${repeats}`;
      onSample((round * providers.length + turn) / (rounds * providers.length), what);
      for (const clock of clocks) {
        await prepare?.();
        await flush(clock);
        const one = await sample[clock]();
        if (round < warmUps) continue;
        for (const [direction, ms] of Object.entries(one) as [Direction, number][])
          (taken[index]![`${clock} ${direction}`] ??= []).push(ms);
      }
    }
  }
  return taken;
}

/** Reads more than caches hold, so that nothing of the sample before is left in them. */
export async function flusher(
  device: Device,
  bytes: number,
): Promise<{ readonly flush: RoundOptions["flush"]; readonly destroy: () => void }> {
  if (bytes === 0) return { flush: async () => undefined, destroy: () => undefined };
  const { buffer, destroy } = maker(device);
  const most = device.limits["maxStorageBufferBindingSize"] ?? Infinity;
  const { groups, vectors } = cut(bytes, most);
  const pipeline = await handwritten(device, "read", { LANES: lanesOf(device)[0]! });
  const bindings = bind(device, pipeline, [
    buffer(16, Uint32Array.of(groups, vectors, 0, 0)),
    buffer(groups * vectors * 16),
    buffer(groups * 16),
  ]);
  const wait = (): Promise<void> => finished(device, "emptying caches", { key: "flush" });
  const dispatch = { part: "flush", pipeline, bindings, groups };
  const submitted = async (): Promise<void> => undefined;
  const flush = (clock: Clock): Promise<void> =>
    run(device, [dispatch], () => undefined, clock === "gpu" ? submitted : wait);
  return { flush, destroy };
}
