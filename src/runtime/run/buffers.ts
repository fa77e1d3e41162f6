// The buffers of one compiled objective: made when a run first needs them, kept for later runs, counted against the byte
// budget of the device before anything is allocated (drivers do not refuse in time), destroyed together. Commands are
// executed in the order of their submission, so runs in flight share every buffer but those that are read after the
// submission: what is mapped, and gradients that stay on the device.

import { fail } from "../../core/error.ts";
import type { Device } from "../device/device.ts";
import { destroyQuietly } from "../device/quietly.ts";
import { bufferUsage } from "../device/usage.ts";

type Need = readonly { readonly role: string; readonly bytes: number }[];

/** What one run needs of its objective's buffers. */
export interface Buffers {
  /** The buffer of a role, at least `bytes` large, until the run is submitted; its old content is undefined. */
  get(role: string, bytes: number, usage: number): GPUBuffer;
  /** The same for this run alone, until its result is delivered: what is mapped. */
  hold(role: string, bytes: number, usage: number): GPUBuffer;
  /** The same for this run alone, until a run starts after its result was delivered: what is left on the device. */
  keep(role: string, bytes: number, usage: number): GPUBuffer;
  /** `get`, then writes the data. */
  upload(role: string, data: Uint32Array | Float32Array | Uint16Array, usage: number): GPUBuffer;
  /** Refuses a need that would pass the budget, counting what is already held. @throws PrefcError byte-budget */
  reserve(need: Need): void;
}

/** The buffers of a run from its start to its end. */
export interface RunBuffers extends Buffers {
  /** Gives back what was held and kept. */
  release(): void;
  /** Whether the run took a buffer that an earlier one had left to the caller. */
  tookLent(): boolean;
  /** Destroys whatever the run touched, since a failure leaves it in a state that nobody knows. */
  discard(): void;
}

export interface BufferPool {
  /** The buffers for a run that starts now. */
  open(): RunBuffers;
  /** Bytes held now. */
  bytes(): number;
  /** Buffers created so far. */
  created(): number;
  destroy(): void;
}

interface Entry {
  readonly role: string;
  readonly buffer: GPUBuffer;
  /** The first run that may take it; Infinity while a run holds it. */
  freeFor: number;
  /** Whether it was left to the caller at some time, who may have destroyed it since. */
  lent: boolean;
}

export const storageUsage: number =
  bufferUsage.storage | bufferUsage.copyTarget | bufferUsage.copySource;
export const uniformUsage: number = bufferUsage.uniform | bufferUsage.copyTarget;

/** Bytes that all objectives hold on a device. */
const ledgers = new WeakMap<Device, { bytes: number }>();

const ledgerOf = (device: Device): { bytes: number } => {
  const known = ledgers.get(device) ?? { bytes: 0 };
  ledgers.set(device, known);
  return known;
};

/** Small buffers grow in powers of two, so that batches of changing size soon stop allocating; large ones waste nothing. */
const largestRounded = 65_536;

const sizeFor = (bytes: number): number => {
  const least = Math.max(16, Math.ceil(bytes / 16) * 16);
  return least > largestRounded ? least : 2 ** Math.ceil(Math.log2(least));
};

/** Memory that is shared with other threads is not taken by WebGPU, so it is copied in pieces of so many bytes. */
const copiedAtOnce = 16 * 2 ** 20;

/** Writes the first `bytes` bytes, a multiple of 4. */
function write(
  device: Device,
  buffer: GPUBuffer,
  { buffer: memory, byteOffset }: ArrayBufferView,
  bytes: number,
): void {
  const { queue } = device.gpu;
  if (memory instanceof ArrayBuffer) {
    queue.writeBuffer(buffer, 0, memory, byteOffset, bytes);
    return;
  }
  for (let from = 0; from < bytes; from += copiedAtOnce) {
    const piece = new Uint8Array(memory, byteOffset + from, Math.min(copiedAtOnce, bytes - from));
    queue.writeBuffer(buffer, from, Uint8Array.from(piece));
  }
}

export function bufferPool(device: Device): BufferPool {
  const entries = new Set<Entry>();
  const ledger = ledgerOf(device);
  let created = 0;
  let runs = 0;

  const bytes = (): number => [...entries].reduce((sum, { buffer }) => sum + buffer.size, 0);
  const drop = (entry: Entry): void => {
    if (!entries.delete(entry)) return;
    ledger.bytes -= entry.buffer.size;
    destroyQuietly(entry.buffer);
  };
  /** The best buffer that a run may take for a role: the first that fits, else one to be replaced. */
  const free = (run: number, role: string, size: number, usage?: number): Entry | undefined => {
    const all = [...entries].filter((entry) => entry.role === role && entry.freeFor <= run);
    const fits = ({ buffer }: Entry): boolean =>
      buffer.size >= size && (usage ?? buffer.usage) === buffer.usage;
    return all.find(fits) ?? all[0];
  };

  const check = (run: number, need: Need, touched: ReadonlySet<Entry>): void => {
    const limit = device.limits["maxBufferSize"] ?? Infinity;
    const large = need.find((one) => sizeFor(one.bytes) > limit);
    if (large !== undefined) {
      fail(
        "buffer-exceeds-limit",
        `The buffer for ${large.role} needs ${sizeFor(large.bytes)} bytes, but ${device.line} allows ${limit} in one buffer; split the batch.`,
      );
    }
    const grown = (): number =>
      need.reduce((sum, { role, bytes: size }) => {
        const known = free(run, role, size)?.buffer.size ?? 0;
        return sum + (known >= size ? 0 : sizeFor(size) - known);
      }, 0);
    const exceeded = (): boolean => ledger.bytes + grown() > device.byteBudget;
    if (exceeded()) {
      // what earlier batches of another form have left is not worth a refusal
      const needed = new Set(need.map(({ role }) => role));
      for (const entry of entries) {
        const idle = entry.freeFor <= run && !touched.has(entry) && !needed.has(entry.role);
        if (idle) drop(entry);
      }
    }
    if (exceeded()) {
      const largest = need.toSorted((a, b) => b.bytes - a.bytes)[0]!;
      const elsewhere = ledger.bytes - bytes();
      const others = elsewhere === 0 ? "" : `; other objectives hold ${elsewhere}`;
      fail(
        "byte-budget",
        `This batch needs ${ledger.bytes + grown()} bytes of GPU buffers (the largest is ${largest.role} with ${largest.bytes}${others}), but the byte budget is ${device.byteBudget}; split the batch or open the device with a larger byteBudget.`,
      );
    }
  };

  const make = (role: string, size: number, usage: number): GPUBuffer => {
    const descriptor = { label: role, size: sizeFor(size), usage };
    const buffer = device.gpu.createBuffer(descriptor) as GPUBuffer | null;
    if (buffer !== null) return buffer;
    return fail(
      "gpu-out-of-memory",
      `The driver gave no buffer of ${descriptor.size} bytes for ${role} on ${device.line}; split the batch, free other buffers, or open the device with a smaller byteBudget.`,
    );
  };

  const open = (): RunBuffers => {
    const run = runs++;
    const touched = new Set<Entry>();
    const held = new Set<Entry>();
    const kept = new Set<Entry>();
    const take = (role: string, size: number, usage: number): Entry => {
      let entry = free(run, role, size, usage);
      if (entry === undefined || entry.buffer.size < size || entry.buffer.usage !== usage) {
        check(run, [{ role, bytes: size }], touched);
        if (entry !== undefined) drop(entry);
        const buffer = make(role, size, usage);
        entry = { role, buffer, freeFor: 0, lent: false };
        ledger.bytes += buffer.size;
        created++;
        entries.add(entry);
      }
      touched.add(entry);
      return entry;
    };
    const hold = (role: string, size: number, usage: number): Entry => {
      const entry = take(role, size, usage);
      entry.freeFor = Infinity;
      held.add(entry);
      return entry;
    };
    const get = (role: string, size: number, usage: number): GPUBuffer =>
      take(role, size, usage).buffer;
    return {
      get,
      hold: (role, size, usage) => hold(role, size, usage).buffer,
      keep: (role, size, usage) => {
        const entry = hold(role, size, usage);
        kept.add(entry);
        return entry.buffer;
      },
      upload: (role, data, usage) => {
        const buffer = get(role, data.byteLength, usage);
        // whole words only: an odd half is written with nothing after it
        const whole = Math.floor(data.byteLength / 4) * 4;
        write(device, buffer, data, whole);
        if (whole < data.byteLength)
          device.gpu.queue.writeBuffer(buffer, whole, Uint16Array.of(data[data.length - 1]!, 0));
        return buffer;
      },
      reserve: (need) => check(run, need, touched),
      release: () => {
        for (const entry of held) {
          entry.freeFor = kept.has(entry) ? runs : 0;
          if (kept.has(entry)) entry.lent = true;
        }
        held.clear();
        touched.clear();
      },
      tookLent: () => [...touched].some(({ lent }) => lent),
      discard: () => {
        // unless another run has taken it since: then it is that run's to judge
        for (const entry of touched) if (held.has(entry) || entry.freeFor <= run) drop(entry);
        held.clear();
        touched.clear();
      },
    };
  };
  return {
    open,
    bytes,
    created: () => created,
    destroy: () => {
      for (const entry of entries) drop(entry);
    },
  };
}
