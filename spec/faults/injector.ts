// WebGPU with faults: an adapter whose devices count every call that is made to them, and at one chosen call lose the device,
// throw, refuse, reject or never answer. Objects are proxies around the real ones, so whatever is not the fault is real.
import { findAdapter, type Probe } from "../../src/runtime/device/adapter.ts";
import { adapterOf } from "../../src/runtime/node/instance.ts";

/** What happens at the chosen call. */
export type Fault =
  /** The device is destroyed before the call, or after it. */
  | "lost before"
  | "lost after"
  /** The device reports a loss of unknown reason, as a driver that was reset does; the calls that follow do nothing. */
  | "reset"
  /** The call throws, before or after it has done its work. */
  | "throws before"
  | "throws after"
  /** An error that no scope catches. */
  | "uncaptured"
  /** The call is invalid: an error in the innermost scope. */
  | "invalid"
  /** There is no memory: an error in the innermost scope for that, and an object that cannot be used. */
  | "out of memory"
  /** The call gives null instead of an object. */
  | "null"
  /** The promise is rejected: with an AbortError that says nothing, or with an OperationError. */
  | "aborts"
  | "fails"
  /** The promise never settles. */
  | "hangs"
  /** The shader compiler complains. */
  | "complains";

export interface Plan {
  /** The number of the call, from 0. */
  readonly at: number;
  readonly fault: Fault;
  /** Whether it happens at every call of that name. */
  readonly every?: boolean;
}

export interface Injector {
  /** Where adapters are found: give it to openDevice. */
  readonly probe: Probe;
  /** Every call so far, such as "GPUDevice.createBuffer". */
  readonly calls: readonly string[];
  /** Labels of the buffers that were made and not destroyed. */
  readonly live: ReadonlySet<GPUBuffer>;
  /** Every device that was opened. */
  readonly devices: readonly GPUDevice[];
}

/** Whether a call of this name gives a promise. */
export const settlesLater = (call: string): boolean =>
  /\.(mapAsync|popErrorScope|createComputePipelineAsync|getCompilationInfo|requestDevice)$/.test(
    call,
  );

/** Whether a fault can happen at a call of this name. */
export const applies = (fault: Fault, call: string): boolean => {
  switch (fault) {
    case "aborts":
    case "fails":
    case "hangs":
      return settlesLater(call);
    case "null":
    case "out of memory":
      return call === "GPUDevice.createBuffer";
    case "complains":
      return call.endsWith(".getCompilationInfo");
    case "lost before":
    case "lost after":
    case "reset":
    case "uncaptured":
    case "invalid":
      return call !== "GPUAdapter.requestDevice";
    case "throws before":
    case "throws after":
      return true;
  }
};

const wrapped =
  /^GPU(?:Adapter|Device|Queue|Buffer|CommandEncoder|ComputePassEncoder|ShaderModule|ComputePipeline|QuerySet)$/;

interface Control {
  lose(): void;
  reset(): void;
  uncaptured(): void;
  invalid(): void;
  outOfMemory(): GPUBuffer;
}

const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });

/**
 * @param adapterName one of prefc's names, or "null" for Dawn's backend that validates everything and computes nothing
 * @param plan the fault, or null to count only
 * @param before hears of each call by its number
 */
export const injector = (
  adapterName: string,
  plan: Plan | null,
  before: (call: number) => void = () => undefined,
): Injector => {
  const calls: string[] = [];
  let chosen = "";
  const live = new Set<GPUBuffer>();
  const devices: GPUDevice[] = [];
  const proxies = new WeakMap<object, object>();
  const originals = new WeakMap<object, object>();

  const original = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) return value;
    const known = originals.get(value);
    if (known !== undefined) return known;
    if (Array.isArray(value)) return value.map(original);
    return Object.getPrototypeOf(value) === Object.prototype
      ? Object.fromEntries(Object.entries(value).map(([key, part]) => [key, original(part)]))
      : value;
  };

  /** Runs one call and, when its number has come, the fault. */
  const call = (name: string, real: () => unknown, control: Control | null): unknown => {
    const at = calls.push(name) - 1;
    before(at);
    if (plan?.at === at) chosen = name;
    const due = plan?.at === at || (plan?.every === true && name === chosen);
    const fault = due ? plan.fault : null;
    if (fault === "throws before") throw named("TypeError", `${name} failed`);
    if (fault === "lost before") control?.lose();
    if (fault === "reset") control?.reset();
    if (fault === "invalid") control?.invalid();
    if (fault === "out of memory") return control?.outOfMemory();
    if (fault === "uncaptured") control?.uncaptured();
    const result = real();
    if (fault !== null && result instanceof Promise) result.catch(() => undefined);
    if (fault === "throws after" || fault === "null") {
      // what nobody was given, nobody can destroy
      live.delete(result as GPUBuffer);
    }
    if (fault === "throws after") throw named("TypeError", `${name} failed`);
    if (fault === "lost after") control?.lose();
    if (fault === "null") return null;
    if (fault === "aborts") return Promise.reject(named("AbortError", ""));
    if (fault === "fails") return Promise.reject(named("OperationError", `${name} failed`));
    if (fault === "hangs") return new Promise(() => undefined);
    if (fault === "complains") {
      const message = { type: "error", message: "out of registers", lineNum: 1, linePos: 1 };
      return Promise.resolve({ messages: [message] });
    }
    return result;
  };

  const wrap = (value: unknown, control: Control | null): unknown => {
    if (value instanceof Promise) return value.then((settled: unknown) => wrap(settled, control));
    if (typeof value !== "object" || value === null) return value;
    const kind = value.constructor.name;
    if (!wrapped.test(kind)) return value;
    const known = proxies.get(value);
    if (known !== undefined) return known;
    const proxy = kind === "GPUDevice" ? deviceProxy(value as GPUDevice) : plain(value, control);
    proxies.set(value, proxy);
    originals.set(proxy, value);
    return proxy;
  };

  const plain = <T extends object>(
    target: T,
    control: Control | null,
    own: Readonly<Record<string, unknown>> = {},
  ): T =>
    new Proxy(target, {
      get: (_, key) => {
        if (typeof key === "string" && Object.hasOwn(own, key)) return own[key];
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== "function") return wrap(value, control);
        const name = `${target.constructor.name}.${String(key)}`;
        return (...given: readonly unknown[]) => {
          const result = call(
            name,
            () => {
              const made = Reflect.apply(value, target, given.map(original)) as unknown;
              if (name === "GPUBuffer.destroy") live.delete(target as unknown as GPUBuffer);
              // what a backend that computes nothing leaves in memory is not said
              if (name === "GPUBuffer.getMappedRange" && adapterName === "null")
                new Uint8Array(made as ArrayBuffer).fill(0);
              if (name === "GPUDevice.createBuffer") live.add(made as GPUBuffer);
              return made;
            },
            control,
          );
          return wrap(result, control);
        };
      },
    });

  const deviceProxy = (device: GPUDevice): GPUDevice => {
    type Listener = (event: GPUUncapturedErrorEvent) => void;
    const listeners = new Set<Listener>();
    /** The scopes that are open, and an error that was put into one. */
    const scopes: { readonly filter: string; error: { readonly message: string } | null }[] = [];
    let loseIt: (loss: GPUDeviceLostInfo) => void = () => undefined;
    const reset = new Promise<GPUDeviceLostInfo>((resolve) => {
      loseIt = resolve;
    });
    const tell = (message: string): void => {
      for (const listener of listeners) {
        const event = { error: { message }, preventDefault: () => undefined };
        listener(event as unknown as GPUUncapturedErrorEvent);
      }
    };
    const control: Control = {
      lose: () => device.destroy(),
      reset: () => {
        loseIt({ reason: "unknown", message: "the driver was reset" } as GPUDeviceLostInfo);
        device.destroy();
      },
      uncaptured: () => tell("an error that nobody caught"),
      invalid: () => {
        device.createBuffer({ size: 16, usage: 0 });
      },
      outOfMemory: () => {
        const scope = scopes.findLast(({ filter }) => filter === "out-of-memory");
        if (scope === undefined) tell("out of memory");
        else scope.error ??= { message: "out of memory" };
        device.pushErrorScope("validation");
        const unusable = device.createBuffer({ size: 16, usage: 0 });
        device.popErrorScope().catch(() => undefined);
        return unusable;
      },
    };
    devices.push(device);
    return plain(device, control, {
      lost: Promise.race([reset, device.lost]),
      addEventListener: (kind: string, listener: Listener) =>
        call(
          "GPUDevice.addEventListener",
          () => {
            listeners.add(listener);
            device.addEventListener(kind as "uncapturederror", listener);
          },
          control,
        ),
      removeEventListener: (kind: string, listener: Listener) =>
        call(
          "GPUDevice.removeEventListener",
          () => {
            listeners.delete(listener);
            device.removeEventListener(kind as "uncapturederror", listener);
          },
          control,
        ),
      pushErrorScope: (filter: GPUErrorFilter) =>
        call(
          "GPUDevice.pushErrorScope",
          () => {
            device.pushErrorScope(filter);
            scopes.push({ filter, error: null });
          },
          control,
        ),
      popErrorScope: () =>
        call(
          "GPUDevice.popErrorScope",
          () => {
            const scope = scopes.pop();
            return device.popErrorScope().then((error) => scope?.error ?? error);
          },
          control,
        ),
    });
  };

  const probe: Probe = async () => {
    const adapter =
      adapterName === "null" ? await adapterOf("null") : (await findAdapter(adapterName)).adapter;
    return wrap(adapter, null) as GPUAdapter;
  };
  return { probe, calls, live, devices };
};
