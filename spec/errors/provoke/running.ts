// Provokes the errors of compiling and running, on devices that execute nothing.
import { keepEntries } from "../../../src/cli/tune.ts";
import type { running as rows } from "../../../src/core/errors/running.ts";
import {
  adoptDevice,
  at,
  builtIn,
  compile,
  dpo,
  evaluate,
  fromResponses,
  iota,
  log,
  logPi,
  mean,
  objective,
  rank,
  real,
  sigmoid,
  square,
  sum,
  type CompileOptions,
  type Objective,
} from "../../../src/index.ts";
import { checkRun } from "../../../src/compile/options.ts";
import { refuseSpent, spend, storageOf } from "../../../src/runtime/run/targets.ts";
import { adapterNameOf, findAdapter } from "../../../src/runtime/device/adapter.ts";
import { valueOf } from "../../../src/compile/results.ts";
import { within } from "../../../src/runtime/device/deadline.ts";
import { openDevice } from "../../../src/runtime/device/open.ts";
import {
  loadBundledDriver,
  locateArchive,
  requireLinux,
  requireMainThread,
} from "../../../src/runtime/node/bundled.ts";
import { loadDawn } from "../../../src/runtime/node/instance.ts";
import { nullDeviceOf } from "../../../src/runtime/node/null.ts";
import { readBuffer } from "../../../src/runtime/device/read.ts";
import { sleepThenAwait } from "../../../src/runtime/device/wait.ts";
import { createPipeline } from "../../../src/runtime/shaders/shaders.ts";
import { timer } from "../../../src/runtime/run/timing.ts";
import { bufferUsage } from "../../../src/runtime/device/usage.ts";
import { openPython, pythonEnded, pythonRaised } from "../../../src/python/worker.ts";
import { emitTorch } from "../../../src/torch/emit.ts";
import { emitTrl } from "../../../src/trainers/trl.ts";
import { batch, dpoOn, newNullDevice, openNull } from "./devices.ts";
import { any, type Provocations } from "./provocations.ts";

const mine = (formula: Parameters<typeof objective<"w" | "l">>[2]): Objective =>
  objective("mine", ["w", "l"], formula, { source: "an example" });
const compiled = (own: Objective, options: CompileOptions = {}): unknown =>
  compile(own, options).wgsl();
const interpreted = (own: Objective): unknown => evaluate([own.loss], batch, {});
const { storage, copySource, copyTarget, mapRead } = bufferUsage;

/** The gradient into buffers of these sizes and usages, by tensor. */
const into = async (
  targets: Readonly<Record<string, readonly [size: number, usage: number]>>,
): Promise<unknown> => {
  const device = await openNull();
  const buffers = Object.entries(targets).map(([name, [size, usage]]) => [
    name,
    device.gpu.createBuffer({ size, usage }),
  ]);
  return await compile(dpo(), { device }).valueAndGrad(batch, {
    into: Object.fromEntries(buffers) as Record<string, GPUBuffer>,
  });
};
/** Chosen and rejected logits apart, the first of them and its gradient in one buffer. */
const apart = (policy: (response: "w" | "l") => GPUBuffer | Float32Array) =>
  fromResponses(
    Object.fromEntries(
      (["w", "l"] as const).map((response) => [
        response,
        { labels: [[1]], policy_logits: policy(response), ref_logits: new Float32Array(4) },
      ]),
    ),
    { vocab_size: 4 },
  );

export const running: Provocations<typeof rows> = {
  "unknown-height": () => compiled(dpo(), { heights: { ref: any("logpss") } }),
  "input-too-high": () => compiled(builtIn("wpo"), { heights: { policy: "logps" } }),
  "emit-statistic": () => emitTorch(builtIn("wpo"), { from: "logps" }),
  "emit-trainer": () => emitTrl(builtIn("tpo"), {}),
  "emit-beyond-a-row": () =>
    emitTorch(
      mine(({ policy, y }) =>
        sum("token", sum("vocab", policy.logits(y.w).times(mean("token", policy.logp(y.w))))),
      ),
      { from: "logits" },
    ),
  "python-missing": async () => {
    const before = process.env["PREFC_PYTHON"];
    process.env["PREFC_PYTHON"] = "no-such-python";
    try {
      await openPython();
    } finally {
      if (before === undefined) delete process.env["PREFC_PYTHON"];
      else process.env["PREFC_PYTHON"] = before;
    }
  },
  "python-ended": () => {
    throw pythonEnded("Killed");
  },
  "python-raised": () => {
    throw pythonRaised({ type: "ValueError", message: "3 rows do not fit; give as many of each" });
  },
  "too-large": () =>
    compiled(
      mine(({ policy, y }) => {
        let x = policy.logps(y.w);
        for (let i = 0; i < 5000; i++) x = sigmoid(x).plus(i);
        return x;
      }),
    ),
  "undefined-value": () => interpreted(mine(({ policy, y }) => log(policy.logps(y.w)))),
  "infinite-value": () =>
    interpreted(mine(({ policy, y }) => policy.logps(y.w).over(policy.logps(y.w).times(0)))),
  "constant-exceeds-f32": () => compiled(mine(({ policy, y }) => policy.logps(y.w).times(1e39))),
  "unsupported-index": () =>
    compiled(
      mine(({ policy, y }) =>
        sum("token", at(policy.logits(y.w), "vocab", rank("batch", policy.logps(y.w)))),
      ),
    ),
  "vocabulary-without-tokens": () =>
    compiled(mine(({ policy, y }) => policy.logps(y.w).times(sum("vocab", real(iota("vocab")))))),
  "vocabulary-across-rows": () =>
    compiled(mine(({ policy, y }) => sum("vocab", square(mean("token", logPi(policy, y.w)))))),
  "shape-size": () => compile(dpo()).explain({ vocab: 0.5 }),
  "shape-responses": () => compile(dpo()).explain({ rows: { w: 10 } }),
  "unknown-dtype": () => compile(dpo()).explain({ dtype: any("f8") }),
  "schedule-option": () => compile(dpo(), { schedule: { rowLanes: 3 } }),
  "tuning-not-kept": () => keepEntries("an adapter", [], []),
  "no-device": () => compile(dpo()).value(batch),
  "not-a-device": () => compile(dpo(), { device: any(openDevice) }),
  "not-a-buffer": () =>
    checkRun("valueAndGrad", compile(dpo()).program, { into: { policy: any(3) } }),
  "used-after-dispose": async () => {
    const own = await dpoOn();
    own.dispose();
    await own.value(batch);
  },
  "unknown-tensor": () => into({ ref: [4096, storage] }),
  "unknown-adapter": () => adapterNameOf("cuda"),
  "no-adapter": () => findAdapter("hardware", () => Promise.resolve(null)),
  "device-refused": () => {
    const info = { vendor: "vendor", architecture: "", device: "device", description: "" };
    const adapter = {
      info: { ...info, isFallbackAdapter: true },
      limits: {},
      features: new Set<string>(),
      requestDevice: () => Promise.reject(new Error("out of luck")),
    };
    return openDevice({ adapter: "software", probe: () => Promise.resolve(any(adapter)) });
  },
  "device-lost": async () => {
    const device = await openNull();
    device.gpu.destroy();
    await device.lost;
    await compile(dpo(), { device }).value(batch);
  },
  "gpu-timeout": () => within(10, "reading the loss", new Promise(() => undefined)),
  "timeout-invalid": async () => (await dpoOn()).value(batch, { timeoutMs: -1 }),
  "gpu-out-of-memory": async () => {
    const device = await openNull();
    const gpu = new Proxy(device.gpu, {
      get: (target, key) =>
        key === "popErrorScope"
          ? () => Promise.resolve({ message: "allocation of 4096 bytes failed" })
          : typeof Reflect.get(target, key, target) === "function"
            ? (Reflect.get(target, key, target) as () => unknown).bind(target)
            : Reflect.get(target, key, target),
    });
    await compile(dpo(), { device: { ...device, gpu } }).value(batch);
  },
  "gpu-aborted": async () => {
    const device = await openNull();
    const staging = device.gpu.createBuffer({ size: 16, usage: mapRead | copyTarget });
    const waiting = sleepThenAwait(device, "reading the loss", () => staging.mapAsync(1));
    staging.destroy();
    await waiting;
  },
  "gpu-error": async () => {
    const device = await openNull();
    const other = await newNullDevice();
    const foreign = other.createBuffer({ label: "logits", size: 16, usage: copySource });
    await readBuffer(device, foreign, 0, 16, "reading logits");
  },
  "shader-rejected": async () =>
    createPipeline(
      await openNull(),
      "@compute @workgroup_size(1) fn main() { let x = 1u + 1.0f; }",
      "mine",
    ),
  "bundled-adapter-missing": () => locateArchive("@sparticuz/nowhere"),
  "bundled-adapter-unsupported": () => requireLinux("win32", "arm64"),
  "bundled-adapter-broken": () => loadBundledDriver(["/dev/null"]),
  "webgpu-missing": () => loadDawn(() => Promise.reject(new Error("not found")), "sunos x64"),
  "null-backend-missing": () => nullDeviceOf(() => Promise.resolve(null)),
  "worker-thread": () => requireMainThread("The adapter lavapipe", false),
  "timestamps-missing": async () => timer({ ...(await openNull()), features: [] }, 1),
  "byte-budget": async () => (await dpoOn({ byteBudget: 2000 })).value(batch),
  "byte-budget-invalid": async () => adoptDevice(await newNullDevice(), { byteBudget: 0 }),
  "buffer-exceeds-limit": async () =>
    (await dpoOn({ limits: { ...(await openNull()).limits, maxBufferSize: 128 } })).value(batch),
  "buffer-usage": () => into({ policy: [4096, copyTarget] }),
  "buffer-unusable": () =>
    storageOf(any({ usage: storage, mapState: "mapped" }), 'policy logits "policy.w"'),
  "batch-spent": () => {
    const spent = { ...batch };
    const tensor = { name: "policy", data: any("a buffer"), rows: 1 };
    const step = { pass: { kind: "gradient" } };
    spend(
      any({
        batch: spent,
        into: { policy: tensor.data },
        dispatches: [{ step, group: { tensors: [{ tensor }] } }],
      }),
    );
    refuseSpent(spent);
  },
  "row-exceeds-binding": async () =>
    (
      await dpoOn({ limits: { ...(await openNull()).limits, maxStorageBufferBindingSize: 64 } })
    ).value(batch),
  "rows-apart": async () => {
    const [far, near] = [new Float32Array(1024), new Float32Array(16)];
    const labels = [[1], [1]];
    const logits = { labels, policy_logits: near, ref_logits: far };
    const crossed = fromResponses(
      { w: { ...logits, rows: [0, 1] }, l: { ...logits, rows: [2, 3] } },
      { vocab_size: 4 },
    );
    const binding = crossed.inputs["ref.logits.w"]!;
    const inputs = {
      ...crossed.inputs,
      "ref.logits.w": { ...binding, rowIndex: Uint32Array.of(0, 255) },
    };
    const device = await openNull();
    const limits = { ...device.limits, maxStorageBufferBindingSize: 256 };
    const own = mine(({ policy, ref, y }) =>
      mean("token", sum("vocab", logPi(policy, y.w).times(logPi(ref, y.w)))),
    );
    await compile(own, { device: { ...device, limits } }).value({
      ...crossed,
      inputs: any(inputs),
    });
  },
  "gradient-too-small": () => into({ policy: [16, storage] }),
  "gradient-aliases-logits": async () => {
    const device = await openNull();
    const buffers = {
      w: device.gpu.createBuffer({ size: 16, usage: storage }),
      l: new Float32Array(4),
    };
    await compile(dpo(), { device }).valueAndGrad(
      apart((response) => buffers[response]),
      { into: { "policy.l": buffers.w } },
    );
  },
  "gradients-share-buffer": async () => {
    const device = await openNull();
    const shared = device.gpu.createBuffer({ size: 16, usage: storage });
    await compile(dpo(), { device }).valueAndGrad(
      apart(() => new Float32Array(4)),
      { into: { "policy.w": shared, "policy.l": shared } },
    );
  },
  "value-not-finite": () =>
    valueOf(
      compile(dpo()).program,
      any({ scalars: [Infinity], perExample: null, each: new Map(), times: null }),
      {},
    ),
  "readback-invalid": async () => {
    const device = await openNull();
    const buffer = device.gpu.createBuffer({ label: "result", size: 16, usage: storage });
    await readBuffer(device, buffer, 8, 16, "reading the result");
  },
};
