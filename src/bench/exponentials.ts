// How many exponentials an adapter computes in a second when nothing waits for memory: the flat roof of the picture.

import type { Device } from "../index.ts";
import { lanesOf, middle } from "../measure/ceilings.ts";
import { bind, handwritten, maker, timed } from "../measure/dispatch.ts";

const exponentialsPerTurn = 16;
const rounds = 7;

/** Exponentials per second; null where the adapter has no clock. */
export async function exponentialRate(device: Device): Promise<number | null> {
  if (!device.features.includes("timestamp-query")) return null;
  const [groups, turns] = device.info.software ? [256, 256] : [4096, 1024];
  let best = 0;
  for (const lanes of lanesOf(device)) {
    const { buffer, destroy } = maker(device);
    const pipeline = await handwritten(device, "exp", { LANES: lanes });
    const resources = [
      buffer(16, Uint32Array.of(groups, turns, 0, 0)),
      buffer(groups * lanes * 16),
    ];
    const bindings = bind(device, pipeline, resources);
    const samples: number[] = [];
    for (let round = 0; round < rounds; round++)
      samples.push((await timed(device, [{ part: "exp", pipeline, bindings, groups }]))["exp"]!);
    destroy();
    const computed = groups * lanes * turns * exponentialsPerTurn;
    best = Math.max(best, (1000 * computed) / middle(samples));
  }
  return best;
}
