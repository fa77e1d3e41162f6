// A GPUDevice whose work is done by wgpu and naga, through wgpu-py in a process of Python: a third implementation of WebGPU, which
// shares no code with Dawn. It has what the runtime calls and no more. Calls go out at once and are answered in order; what
// wgpu refuses is reported by the next error scope, as WebGPU has it, and is kept for the spec to look at.

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { interpreter } from "../../src/python/worker.ts";

type Answer = Readonly<Record<string, unknown>> & { readonly error?: string };
interface Thing {
  readonly id: number;
}
const idOf = (thing: unknown): number => (thing as Thing).id;

/** Whether the interpreter of Python has the package wgpu. */
export const hasWgpu = (): boolean =>
  spawnSync(interpreter(), ["-c", "import wgpu"], { stdio: "ignore" }).status === 0;

/** The process, to which calls are sent one after the other. */
class Bridge {
  readonly errors: string[] = [];
  readonly #child: ChildProcess;
  readonly #waiting: ((answer: Answer) => void)[] = [];
  #ids = 0;

  constructor() {
    const script = fileURLToPath(new URL("device.py", import.meta.url));
    this.#child = spawn(interpreter(), [script], { stdio: ["pipe", "pipe", "inherit"] });
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      this.#waiting.shift()?.(JSON.parse(line) as Answer);
    });
    this.#child.on("exit", () => {
      for (const settle of this.#waiting.splice(0)) settle({ error: "the process of wgpu ended" });
    });
  }

  nextId = (): number => (this.#ids += 1);

  call(name: string, fields: object = {}): Promise<Answer> {
    const answer = new Promise<Answer>((resolve) => this.#waiting.push(resolve));
    this.#child.stdin!.write(`${JSON.stringify({ call: name, ...fields })}\n`);
    return answer.then((found) => {
      if (found.error !== undefined) this.errors.push(found.error);
      return found;
    });
  }

  /** A thing that the other process makes. */
  make(name: string, fields: object): Thing {
    const id = this.nextId();
    void this.call(name, { id, ...fields });
    return { id };
  }

  close = (): void => void this.#child.kill();
}

const bytesOf = (data: ArrayBuffer | ArrayBufferView, offset = 0, size?: number): Buffer => {
  if (!ArrayBuffer.isView(data)) return Buffer.from(data, offset, size);
  const width = (data as { readonly BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1;
  const start = data.byteOffset + offset * width;
  const bytes = size === undefined ? data.byteLength - offset * width : size * width;
  return Buffer.from(data.buffer as ArrayBuffer, start, bytes);
};

function bufferOf(bridge: Bridge, { size, usage, label = "" }: GPUBufferDescriptor): object {
  const made = bridge.make("buffer", { size, usage });
  let mapped = new ArrayBuffer(0);
  return {
    ...made,
    size,
    usage,
    label,
    mapState: "unmapped",
    mapAsync: async (_mode: number, offset = 0, bytes = size - offset) => {
      const { data, error } = await bridge.call("read", { buffer: made.id, offset, size: bytes });
      if (typeof data !== "string") throw new Error(error);
      mapped = new Uint8Array(Buffer.from(data, "base64")).buffer;
    },
    getMappedRange: () => mapped,
    unmap: () => undefined,
    destroy: () => void bridge.call("destroy", { id: made.id }),
  };
}

function encoderOf(bridge: Bridge): object {
  const { id: encoder } = bridge.make("encoder", {});
  return {
    id: encoder,
    clearBuffer: (buffer: unknown) => void bridge.call("clear", { encoder, buffer: idOf(buffer) }),
    copyBufferToBuffer: (
      from: unknown,
      fromOffset: number,
      to: unknown,
      toOffset: number,
      size: number,
    ) =>
      void bridge.call("copy", {
        encoder,
        from: idOf(from),
        fromOffset,
        to: idOf(to),
        toOffset,
        size,
      }),
    beginComputePass: () => {
      const { id: pass } = bridge.make("begin", { encoder });
      let pipeline = 0;
      let group = 0;
      return {
        setPipeline: (one: unknown) => void (pipeline = idOf(one)),
        setBindGroup: (_at: number, one: unknown) => void (group = idOf(one)),
        dispatchWorkgroups: (x: number, y = 1, z = 1) =>
          void bridge.call("dispatch", { pass, pipeline, group, workgroups: [x, y, z] }),
        end: () => void bridge.call("end", { pass }),
      };
    },
    finish: () => ({ id: encoder }),
  };
}

function queueOf(bridge: Bridge): object {
  return {
    submit: (encoders: readonly unknown[]) =>
      void bridge.call("submit", { encoders: encoders.map(idOf) }),
    writeBuffer: (
      buffer: unknown,
      offset: number,
      data: ArrayBuffer | ArrayBufferView,
      from?: number,
      size?: number,
    ) =>
      void bridge.call("write", {
        buffer: idOf(buffer),
        offset,
        data: bytesOf(data, from, size).toString("base64"),
      }),
    onSubmittedWorkDone: async () => void (await bridge.call("wait")),
  };
}

/** A device of wgpu, what it refused so far, and the end of its process. */
export interface Wgpu {
  readonly gpu: GPUDevice;
  readonly errors: readonly string[];
  readonly close: () => void;
}

/** Opens the software adapter of Vulkan by wgpu. */
export async function openWgpu(): Promise<Wgpu> {
  const bridge = new Bridge();
  const { limits, info, error } = await bridge.call("open");
  if (error !== undefined) throw new Error(error);
  const scopes: number[] = [];
  const gpu = {
    limits,
    adapterInfo: info,
    features: new Set<string>(),
    lost: new Promise(() => {}),
    queue: queueOf(bridge),
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
    pushErrorScope: () => void scopes.push(bridge.errors.length),
    popErrorScope: async () => {
      const before = scopes.pop()!;
      await bridge.call("wait");
      const message = bridge.errors[before];
      return message === undefined ? null : { message };
    },
    createBuffer: (descriptor: GPUBufferDescriptor) => bufferOf(bridge, descriptor),
    createShaderModule: ({ code }: GPUShaderModuleDescriptor) => ({
      ...bridge.make("shader", { code }),
      getCompilationInfo: async () => ({ messages: [] }),
    }),
    createBindGroupLayout: ({ entries }: GPUBindGroupLayoutDescriptor) =>
      bridge.make("group_layout", { types: [...entries].map(({ buffer }) => buffer!.type) }),
    createPipelineLayout: ({ bindGroupLayouts }: GPUPipelineLayoutDescriptor) =>
      bridge.make("layout", { groups: [...bindGroupLayouts].map(idOf) }),
    createComputePipelineAsync: async ({ layout, compute }: GPUComputePipelineDescriptor) => {
      const id = bridge.nextId();
      const { error: refused } = await bridge.call("pipeline", {
        id,
        layout: layout === "auto" ? "auto" : idOf(layout),
        module: idOf(compute.module),
        entryPoint: compute.entryPoint ?? "main",
      });
      if (refused !== undefined) throw new Error(refused);
      return { id };
    },
    createBindGroup: ({ layout, entries }: GPUBindGroupDescriptor) =>
      bridge.make("group", {
        layout: idOf(layout),
        entries: [...entries].map(({ binding, resource }) => {
          const { buffer, offset = 0, size = 0 } = resource as GPUBufferBinding;
          return { binding, buffer: idOf(buffer), offset, size };
        }),
      }),
    createCommandEncoder: () => encoderOf(bridge),
    destroy: () => bridge.close(),
  };
  return { gpu: gpu as unknown as GPUDevice, errors: bridge.errors, close: bridge.close };
}
