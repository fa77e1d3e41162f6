// Lives that are shared or cut short: two objectives on one device that is lost, and disposal of the objective or of the device
// in the middle of a run. Each step gives the right bits or ends in one sentence; nothing hangs and nothing is left.
import { describe, expect, it } from "vitest";
import { compile, dpo, openDevice } from "../../src/index.ts";
import { injector, type Fault } from "./injector.ts";
import { smallest } from "./kinds.ts";
import { settled, type Step } from "./scenario.ts";

const { objective, batches } = smallest("in flight", "null");
const options = { perExample: true };

/** A few places of so many, the first and the last among them. */
const spread = (count: number, most: number): readonly number[] => [
  ...new Set(Array.from({ length: most }, (_, n) => Math.round((n * (count - 1)) / (most - 1)))),
];

interface Shared {
  readonly steps: readonly Step[];
  readonly calls: number;
  readonly devices: number;
  readonly left: number;
}

/** Two objectives in turns on one device, in flight together, and each once more. */
const shared = async (
  plan: { readonly at: number; readonly fault: Fault } | null,
): Promise<Shared> => {
  const { probe, calls, live, devices } = injector("null", plan);
  const device = await openDevice({ adapter: "software", probe });
  const both = [compile(objective, { device }), compile(dpo(), { device })];
  const running = both.flatMap((own, n) => [
    settled(own.valueAndGrad(batches[n]!, options)),
    settled(own.value(batches[1 - n]!, options)),
  ]);
  const steps = await Promise.all(running);
  for (const own of both) steps.push(await settled(own.valueAndGrad(batches[0], options)));
  for (const own of both) own.dispose();
  device.dispose();
  for (const one of devices) one.destroy();
  return { steps, calls: calls.length, devices: devices.length, left: live.size };
};

describe("two objectives on one device", () => {
  it("lose nothing when it is lost, and share the one that takes its place", async () => {
    const right = await shared(null);
    expect(right).toMatchObject({ devices: 1, left: 0 });
    expect(right.steps.every((step) => "bits" in step)).toBe(true);
    const faults = ["lost before", "lost after", "reset"] as const;
    // the first calls open the device, and a loss there is that of openDevice
    for (const [n, at] of spread(right.calls - 4, 12).entries()) {
      const lived = await shared({ at: at + 4, fault: faults[n % faults.length]! });
      expect(lived.steps, `${faults[n % faults.length]} at ${at + 4}`).toEqual(right.steps);
      expect(lived.devices).toBeLessThanOrEqual(2);
      expect(lived.left).toBe(0);
    }
  });
});

describe("disposal in the middle", () => {
  it.each(["objective", "device"] as const)(
    "of the %s ends each step in a sentence",
    async (what) => {
      const at = async (
        call: number,
      ): Promise<{
        readonly steps: readonly Step[];
        readonly calls: number;
        readonly first: number;
      }> => {
        let dispose = (): void => undefined;
        const { probe, calls, live, devices } = injector("null", null, (number) => {
          if (number === call) dispose();
        });
        const device = await openDevice({ adapter: "software", probe });
        const own = compile(objective, { device });
        const first = calls.length;
        dispose = () => (what === "objective" ? own : device).dispose();
        const running = batches.map((batch) => settled(own.valueAndGrad(batch, options)));
        const steps = await Promise.all(running);
        steps.push(await settled(own.valueAndGrad(batches[0], options)));
        const made = calls.length;
        own.dispose();
        device.dispose();
        expect([live.size, own.memory().bytes], `${what} disposed of at ${call}`).toEqual([0, 0]);
        for (const one of devices) one.destroy();
        expect(devices).toHaveLength(1);
        return { steps, calls: made, first };
      };
      const right = await at(-1);
      expect(right.steps.every((step) => "bits" in step)).toBe(true);
      const ends = new Set<string>();
      for (const place of spread(right.calls - right.first, 20)) {
        const call = right.first + place;
        const { steps } = await at(call);
        steps.forEach((step, position) => {
          const where = `step ${position}, ${what} disposed of at call ${call}`;
          if ("bits" in step) expect(step, where).toEqual(right.steps[position]);
          else expect(step.error, where).toMatchObject({ code: "used-after-dispose" });
          ends.add("bits" in step ? `${position} right` : `${position} refused`);
        });
      }
      expect([...ends]).toEqual(
        expect.arrayContaining(["0 refused", "0 right", "1 refused", "1 right", "2 refused"]),
      );
    },
  );
});
