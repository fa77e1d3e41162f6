// The runs of one compiled objective: how many are in flight, in which order they submit, on which device they run, and what
// becomes of them when the device is lost or the objective is disposed of. A run whose data lie on the host is repeated, once,
// on the device that takes the place of a lost one.

import { fail, type PrefcError } from "../../core/error.ts";
import { bufferPool, type BufferPool, type RunBuffers } from "./buffers.ts";
import type { Device } from "../device/device.ts";
import type { Turn } from "./run.ts";
import { deviceLostError, lossNoticed } from "../device/lost.ts";
import { asPrefcError } from "../device/scopes.ts";
import { cite } from "../../core/quote.ts";

/** Runs that may be in flight at once; more of them would only queue up their data in the driver. */
const mostInFlight = 4;

/** A run is repeated on one further device: work that loses every device must end. */
const mostDevices = 2;

export interface Work<Done, Result> {
  /** Whether all that the run reads and leaves lies on the host, so that it can be repeated on another device. */
  readonly portable: boolean;
  /** Records, submits and waits; a failure leaves its buffers in an unknown state. */
  execute(device: Device, held: RunBuffers, turn: Turn): Promise<Done>;
  /** Judges and names what was executed; the buffers are as good as before. */
  finish(device: Device, done: Done): Promise<Result>;
}

export interface Runs {
  /** Before anything of a run is looked at. @throws PrefcError used-after-dispose */
  refuseDisposed(): void;
  /** @throws PrefcError used-after-dispose, device-lost, and whatever the work throws */
  run<Done, Result>(work: Work<Done, Result>): Promise<Result>;
  memory(): { readonly buffersCreated: number; readonly bytes: number };
  dispose(): void;
}

const during = "running a plan";

/** Failures behind which a loss of the device may stand that has not been reported yet. */
const perhapsLost: readonly string[] = [
  "gpu-error",
  "gpu-aborted",
  "gpu-out-of-memory",
  "shader-rejected",
];

interface Opened {
  readonly from: BufferPool;
  readonly held: RunBuffers;
}

/** `name` is the objective's, for messages. */
export function runsOn(first: Device, name: string): Runs {
  let device = first;
  let pool = bufferPool(first);
  let createdBefore = 0;
  let disposed = false;
  let underWay = 0;
  let passed: Promise<void> = Promise.resolve();
  const waiting: (() => void)[] = [];
  /** Runs that have been submitted; they end without the help of any that has not. */
  const submitted = new Set<Promise<void>>();

  const open = (): Opened => ({ from: pool, held: pool.open() });
  /** @param started whether a run has been started that cannot end now */
  const refuseDisposed = (started: boolean): void => {
    if (!disposed) return;
    const when = started ? " while a run was under way or waiting" : "; compile it again";
    fail("used-after-dispose", `The compiled objective ${cite(name)} was disposed${when}.`);
  };
  const seat = async (): Promise<void> => {
    if (++underWay > mostInFlight) await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const leave = (): void => {
    underWay--;
    waiting.shift()?.();
    if (disposed && underWay === 0) pool.destroy();
  };
  const takeTurn = (): Turn => {
    const before = passed;
    let pass = (): void => undefined;
    const mine = new Promise<void>((resolve) => {
      pass = resolve;
    });
    passed = mine.then(() => before);
    return { before, pass };
  };

  /** Moves to a device that lives. */
  const move = async (portable: boolean): Promise<void> => {
    while (device.isLost()) {
      const lost = device;
      if (!portable && !lost.isDisposed()) {
        fail(
          "device-lost",
          `The GPU device ${lost.line} was lost (${lost.lossReason() ?? "no reason given"}), and with it every GPUBuffer that ${cite(name)} reads or leaves; make them on a new device, compile for it and run again.`,
        );
      }
      const next = await lost.renew();
      refuseDisposed(true);
      if (device !== lost) continue;
      pool.destroy();
      createdBefore += pool.created();
      device = next;
      pool = bufferPool(next);
    }
  };

  /** The failure of an attempt, as a loss of the device if that is what it was. */
  const explained = async (error: unknown, on: Device): Promise<PrefcError> => {
    const known = asPrefcError(on, during, error);
    if (known.code === "device-lost" || known.code === "used-after-dispose") return known;
    const lost = perhapsLost.includes(known.code) ? await lossNoticed(on) : on.isLost();
    return lost ? deviceLostError(on, during) : known;
  };

  /** Executes the work on a device that lives, with buffers of a run that has been opened on some device. */
  const attempt = async <Done>(
    work: Work<Done, unknown>,
    turn: Turn,
    opened: Opened,
  ): Promise<{ readonly on: Device; readonly held: RunBuffers; readonly done: Done }> => {
    let current = opened;
    let again = false;
    for (let devices = 1; ;) {
      refuseDisposed(true);
      await move(work.portable);
      if (current.from !== pool) current = open();
      const { held } = current;
      const on = device;
      try {
        return { on, held, done: await work.execute(on, held, turn) };
      } catch (error) {
        const tookLent = held.tookLent();
        held.discard();
        const failure = await explained(error, on);
        if (failure.code === "gpu-error" && tookLent && !again && !disposed) {
          // a gradient that an earlier run left on the device is the caller's, who may have destroyed it
          again = true;
          continue;
        }
        if (failure.code === "byte-budget" && submitted.size > 0) {
          // what runs in flight hold comes free when they end
          await Promise.race(submitted);
          continue;
        }
        const repeated = failure.code === "device-lost" && work.portable && devices < mostDevices;
        if (!repeated || disposed) throw failure;
        devices++;
      }
    }
  };

  return {
    refuseDisposed: () => refuseDisposed(false),
    run: async (work) => {
      // now, not when its turn comes: what a run leaves on the device outlives every run that was started before
      const opened = open();
      const { before, pass } = takeTurn();
      let ended = (): void => undefined;
      const end = new Promise<void>((resolve) => {
        ended = resolve;
      });
      await seat();
      try {
        const turn = {
          before,
          pass: () => {
            submitted.add(end);
            pass();
          },
        };
        const { on, held, done } = await attempt(work, turn, opened);
        try {
          const result = await work.finish(on, done);
          refuseDisposed(true);
          return result;
        } finally {
          held.release();
        }
      } finally {
        pass();
        submitted.delete(end);
        ended();
        leave();
      }
    },
    memory: () => ({
      buffersCreated: createdBefore + pool.created(),
      bytes: pool.bytes(),
    }),
    dispose: () => {
      disposed = true;
      if (underWay === 0) pool.destroy();
    },
  };
}
