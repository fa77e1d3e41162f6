// Which specs `npm test` runs, and which only `npm run test:all` does. A spec that takes a processor more than about ten
// seconds is named here, with what it does for so long. All others run with `npm test`, new ones among them.

/** Specs that take long on the bundled SwiftShader, and why. */
export const long: Readonly<Record<string, string>> = {
  "spec/audit/recorder.spec.ts": "records steps with TRL's trainer",
  "spec/bench/help.spec.ts": "every option of a benchmark, each in a process of its own",
  "spec/bench/run.spec.ts": "benchmarks of every kind, each in a process of its own",
  "spec/browser/playground.spec.ts": "builds the playground and uses it in a Chromium",
  "spec/cli/modules.spec.ts": "forty processes that load modules, some of which hang on purpose",
  "spec/cli/rates.spec.ts": "measures the memory rates of the adapter",
  "spec/cli/tune.spec.ts": "measures schedules",
  "spec/pipeline/limit.spec.ts": "formulas that a loop wrote, up to the largest that is taken",
  "spec/faults/calls.spec.ts": "a fault at every call of WebGPU",
  "spec/fuzz/exercised.spec.ts":
    "draws programs until every operator, rule and kind of pass was reached",
  "spec/gpu/accuracy.spec.ts": "hard data against what f32 can know",
  "spec/gpu/badinput.spec.ts": "wrong batches and lost devices",
  "spec/gpu/families.spec.ts": "each family of objectives, built anew",
  "spec/gpu/faults.spec.ts": "devices that are lost, each of which builds its shaders anew",
  "spec/gpu/found.spec.ts": "programs that were once wrong",
  "spec/gpu/golden.spec.ts": "every recorded file, most of which build shaders of their own",
  "spec/gpu/gradient.spec.ts": "gradients of random formulas, each of which is built anew",
  "spec/gpu/identical.spec.ts": "the same bits from several objectives at once",
  "spec/gpu/inplace.spec.ts": "gradients in the place of logits, in each storage type",
  "spec/gpu/large.spec.ts": "tensors larger than a binding",
  "spec/gpu/laws.objectives.spec.ts": "laws of every objective",
  "spec/gpu/laws.spec.ts": "laws of results, on random batches",
  "spec/gpu/outside.spec.ts":
    "what lies outside the ordinary: rows of one entry, prompts alone, extreme numbers",
  "spec/gpu/random1.spec.ts": "250 random programs, each of which is built anew",
  "spec/gpu/random2.spec.ts": "250 random programs, each of which is built anew",
  "spec/gpu/range.spec.ts": "the ends of each storage type's range",
  "spec/gpu/saturation.spec.ts": "saturated losses with every metric",
  "spec/gpu/schedules.spec.ts": "random schedules, each of which is built anew",
  "spec/gpu/short.spec.ts": "short rows in shaders of their own",
  "spec/gpu/sorting.spec.ts": "sorting along the batch",
  "spec/gpu/split.spec.ts": "rows that several workgroups share",
  "spec/gpu/storage.spec.ts": "each objective in each storage type",
  "spec/gpu/vectors.spec.ts": "rows that end within a vector",
  "spec/gpu/wgsl.spec.ts": "every kernel of every objective, compiled by the driver",
  "spec/runtime/accumulation.spec.ts": "every objective in parts of 1, 2 and 3 examples",
  "spec/hostile/names.spec.ts": "800 hostile names",
  "spec/runtimes/runtimes.spec.ts": "the built package in Deno, Bun and later releases of Node",
  "spec/torch/formulas.spec.ts": "compiles and traces every formula in PyTorch",
  "spec/torch/golden.spec.ts": "every recorded file at three heights in PyTorch",
  "spec/triton/compiled.spec.ts": "every kernel of every objective, compiled for a GPU",
  "spec/triton/hidden.spec.ts": "every objective from hidden states, in tiles of PyTorch",
  "spec/triton/golden.spec.ts": "every recorded file in Triton's interpreter",
  "spec/triton/logits.spec.ts": "kernels entry by entry in Triton's interpreter, and in one graph",
  "spec/triton/objectives.spec.ts": "every objective in Triton's interpreter",
  "spec/wgpu/builtins.spec.ts": "every kernel of every objective, built by naga",
};

/** Folders whose specs compute on the adapter. Continuous integration runs them on a second one as well. */
export const deviceFolders: readonly string[] = [
  "bench",
  "cli",
  "conform",
  "demo",
  "docs",
  "errors",
  "explain",
  "faults",
  "gpu",
  "kernel",
  "measure",
  "objectives",
  "runtime",
  "soak",
  "tune",
];

interface Lane {
  readonly name: string;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

const inFolders = deviceFolders.map((folder) => `spec/${folder}/**/*.spec.ts`);
const slow = Object.keys(long);

/** Every spec is in exactly one lane (spec/architecture/lanes.spec.ts). */
export const lanes: readonly Lane[] = [
  { name: "core", include: ["spec/**/*.spec.ts"], exclude: [...inFolders, ...slow] },
  { name: "device", include: inFolders, exclude: slow },
  { name: "long", include: slow, exclude: [] },
];
