// What kernels written by hand bind: the benchmark's data by name, their own buffers, and the windows of rows into which tensors
// are cut where they exceed a binding.

import { PrefcError } from "../core/error.ts";
import { cite } from "../core/quote.ts";
import { bytesPerEntry } from "../core/storage.ts";
import type { Dispatch, maker } from "../measure/dispatch.ts";
import { windows } from "../runtime/run/stack.ts";
import { scoped } from "../runtime/device/scopes.ts";
import { createPipeline } from "../runtime/shaders/shaders.ts";
import { checkDispatch, type KernelPlan } from "./handwritten.ts";
import type { Place } from "./provider.ts";
import { compileSubject, type Subject } from "./subject.ts";

/** A buffer, and its bytes for each row of the logits where it is cut as they are. */
interface Resource {
  readonly buffer: GPUBuffer;
  readonly bytesPerRow: number | null;
}
export type Resources = ReadonlyMap<string, Resource>;

/** The sequence of a row that belongs to none. */
const noSequence = 0xffffffff;
const vectorBytes = 16;
/** Windows start at multiples of so many rows: then four bytes a row start where a binding may. */
const rowAlignment = 64;
/** Workgroups of one dimension of a dispatch. */
const mostGroups = 65_535;

/** Every buffer that a plan may bind, by name. */
export function resourcesOf(
  { layout, held, params }: Place,
  subject: Subject,
  plan: KernelPlan,
  buffer: ReturnType<typeof maker>["buffer"],
): Resources {
  const { rows, vocab, examples, responses, rowIndex } = layout;
  const { program } = compileSubject(subject);
  const [labels, sequences] = [new Uint32Array(rows), new Uint32Array(rows).fill(noSequence)];
  const offsets: number[] = [];
  program.responses.forEach((response, position) => {
    const own = responses[response]!;
    rowIndex[response]!.forEach((row, token) => (labels[row] = own.labels[token]!));
    for (let example = 0; example < examples; example++) {
      const [from, to] = [own.offsets[example]!, own.offsets[example + 1]!];
      offsets.push(rowIndex[response]![from]!, to - from);
      for (let token = from; token < to; token++)
        sequences[rowIndex[response]![token]!] = position * examples + example;
    }
  });
  const rowBytes = vocab * bytesPerEntry(held.dtype);
  const values = program.params.map(({ name, initial }) => params[name] ?? initial ?? 0);
  const shape = Uint32Array.of(rows, Math.floor(rowBytes / vectorBytes), examples, vocab);
  const cut = (of: GPUBuffer, bytesPerRow: number): Resource => ({ buffer: of, bytesPerRow });
  const whole = (of: GPUBuffer): Resource => ({ buffer: of, bytesPerRow: null });
  const made = new Map<string, Resource>([
    ["shape", whole(buffer(shape.byteLength, shape))],
    ["policy_logits", cut(held.policy, rowBytes)],
    ["ref_logits", cut(held.ref, rowBytes)],
    ["policy_gradient", cut(held.gradient, rowBytes)],
    ["labels", cut(buffer(4 * rows, labels), 4)],
    ["sequences", cut(buffer(4 * rows, sequences), 4)],
    ["offsets", whole(buffer(4 * offsets.length, Uint32Array.from(offsets)))],
    ["params", whole(buffer(4 * Math.max(1, values.length), Float32Array.from(values)))],
  ]);
  for (const [name, size] of Object.entries(plan.buffers ?? {})) {
    made.set(
      name,
      "bytes" in size
        ? whole(buffer(size.bytes))
        : cut(buffer(size.bytesPerRow * rows), size.bytesPerRow),
    );
  }
  return made;
}

/** A kernel that does not compile is no fault of prefc's. */
export function rejected(where: string, error: unknown): unknown {
  if (!(error instanceof PrefcError) || error.code !== "shader-rejected") return error;
  const said = error.message.slice(error.message.indexOf(": ") + 2).split("\n");
  const text = said.map((line) => line.trim()).join(" ");
  return new PrefcError(
    "kernel-rejected",
    `${where} does not compile; correct it: ${text.replace(/\.$/, "")}.`,
    { cause: error },
  );
}

/** Dispatches ready to run. @throws PrefcError kernel-binding, kernel-rejected */
export async function dispatchesOf(
  { device, layout, held }: Place,
  where: string,
  plan: KernelPlan,
  resources: Resources,
): Promise<readonly Dispatch[]> {
  const rowBytes = layout.vocab * bytesPerEntry(held.dtype);
  const most = device.limits["maxStorageBufferBindingSize"] ?? Infinity;
  const cut = windows(
    layout.rows,
    rowBytes,
    { maxBinding: Math.min(most, mostGroups * rowBytes), alignment: rowAlignment * rowBytes },
    `the logits of ${where}`,
  );
  const made: Dispatch[] = [];
  for (const dispatch of plan.dispatches) {
    checkDispatch(where, plan, dispatch);
    const { wgsl, entryPoint, direction, bindings, groups, rowsPerGroup = 1 } = dispatch;
    const options = entryPoint === undefined ? {} : { entryPoint };
    const pipeline = await createPipeline(device, wgsl, where, options).catch((error: unknown) => {
      throw rejected(where, error);
    });
    const all = groups === "rows" ? cut : [{ firstRow: 0, rows: layout.rows }];
    for (const { firstRow, rows } of all) {
      const { value, problem } = scoped(device, () =>
        device.gpu.createBindGroup({
          layout: pipeline.getBindGroupLayout(0),
          entries: bindings.map((name, binding) => {
            const { buffer, bytesPerRow } = resources.get(name)!;
            const windowed = groups === "rows" && bytesPerRow !== null;
            const range = windowed
              ? { offset: firstRow * bytesPerRow, size: rows * bytesPerRow }
              : {};
            return { binding, resource: { buffer, ...range } };
          }),
        }),
      );
      const found = await problem;
      if (found !== null) {
        throw new PrefcError(
          "kernel-binding",
          `${where}: its bindings (${bindings.map((name) => cite(name)).join(", ")}) do not fit its variables, of which every one must be used: ${found.message.split("\n")[0]!.replace(/\.$/, "")}.`,
        );
      }
      made.push({
        part: direction,
        pipeline,
        bindings: value,
        groups: groups === "rows" ? Math.ceil(rows / rowsPerGroup) : groups,
      });
    }
  }
  return made;
}
