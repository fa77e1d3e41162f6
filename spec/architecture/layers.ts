// The layers of the compiler and what each may import. A folder may always import itself. The table is the architecture:
// a new folder has to be entered here, with a reason for every arrow.

/** What one folder of src may import: whole modules, and modules of which it may use only the types. */
export type Layer = { readonly imports: readonly string[]; readonly types: readonly string[] };

const layer = (imports: readonly string[], types: readonly string[] = []): Layer => ({
  imports,
  types,
});

const compiler = [
  "core",
  "dsl",
  "rewrite",
  "ad",
  "stream",
  "schedule",
  "block",
  "kernel",
  "rows",
  "wgsl",
  "plan",
  "batch",
];
const comparison = [
  "core",
  "dsl",
  "objectives",
  "batch",
  "reference",
  "pipeline",
  "compile",
  "runtime",
  "ad",
  "sample",
  "kinks",
];
const library = [
  ...new Set([...compiler, ...comparison, "explain", "conform", "check", "seam", "torch"]),
];
const everything = [
  ...library,
  "measure",
  "python",
  "tune",
  "tensors",
  "audit",
  "draw",
  "plots",
  "bench",
  "trainers",
  "triton",
  "cli",
  "demo",
  "index.ts",
];

/** Every folder directly under src, and src/index.ts, with what it may import. */
export const layers: ReadonlyMap<string, Layer> = new Map([
  ["core", layer([])],
  ["dsl", layer(["core"])],
  ["objectives", layer(["dsl"], ["core"])],
  ["rewrite", layer(["core"])],
  ["ad", layer(["core", "rewrite"])],
  ["batch", layer(["core"])],
  // what leaves the range of float64 as it is written is evaluated as identities make it
  ["reference", layer(["core", "batch", "ad", "rewrite"])],
  ["stream", layer(["core", "rewrite", "ad"])],
  // how kernels are laid out on an adapter: chosen, checked, measured, told
  ["schedule", layer(["core"])],
  ["block", layer(["core", "stream"])],
  ["kernel", layer(["core", "stream", "block", "schedule"])],
  // what an objective needs of each row of logits, found by the normal forms of the stream level
  ["seam", layer(["core", "rewrite", "ad", "batch", "stream"])],
  // objectives as PyTorch; it prints core nodes over statistics, and knows nothing of kernels
  ["torch", layer(["core", "rewrite", "ad", "batch", "seam", "dsl"])],
  // the same with kernels of Triton, which are printed from the block level and know nothing of those of WebGPU
  ["triton", layer(["core", "rewrite", "ad", "stream", "block", "seam", "torch", "dsl"])],
  ["wgsl", layer(["core", "kernel"])],
  // runs kernels without a device
  ["host", layer(["core", "kernel"])],
  // what lies between two passes over the vocabulary, as data-parallel steps
  ["rows", layer(["core", "schedule", "kernel"])],
  ["plan", layer(["core", "stream", "kernel", "rows", "wgsl"])],
  // the list of passes, from an objective to its shaders
  ["pipeline", layer(compiler)],
  // batches of random numbers for whatever an expression reads
  ["sample", layer(["core", "batch"], ["dsl"])],
  // where an expression bends, found on batches by the interpreter
  ["kinks", layer(["core", "ad", "batch", "reference", "sample"], ["dsl"])],
  ["explain", layer([...compiler, "pipeline", "seam", "kinks"])],
  // runs plans, and knows nothing of how they are made
  ["runtime", layer(["core", "batch", "plan", "wgsl", "kernel", "schedule"])],
  // what a user calls: passes, their explanation, and runs of what they made. The interpreter works out, before a run, what is
  // divided by and depends on no logits
  [
    "compile",
    layer([
      "core",
      "dsl",
      "batch",
      "reference",
      "seam",
      "schedule",
      "kernel",
      "plan",
      "pipeline",
      "explain",
      "runtime",
    ]),
  ],
  // a process of Python with torch, which runs emitted files
  ["python", layer(["core"])],
  ["conform", layer([...comparison, "check", "seam", "torch", "python"])],
  ["check", layer(comparison)],
  // timing of memory, for predictions and benchmarks; in Node, where results are kept in files
  ["measure", layer(["core", "runtime"])],
  // runs an objective under each schedule and accepts of its loss what a check accepts
  ["tune", layer(["core", "objectives", "batch", "schedule", "compile", "runtime", "check"])],
  // files of tensors, read by ranges
  ["tensors", layer(["core"])],
  // a recorded training step held against the formula
  ["audit", layer(["core", "dsl", "batch", "reference", "ad", "pipeline", "tensors"])],
  // text and coordinates of pictures, which know nothing of what is drawn
  ["draw", layer([])],
  // the curves of an objective in float64
  ["plots", layer(["core", "batch", "pipeline", "reference", "draw"], ["dsl"])],
  // compiled kernels, kernels written by hand and ceilings in the same rounds; a user of the public interface
  [
    "bench",
    layer([
      "audit",
      "core",
      "batch",
      "check",
      "compile",
      "pipeline",
      "draw",
      "explain",
      "measure",
      "reference",
      "runtime",
      "tensors",
      "sample",
      "wgsl",
      "index.ts",
    ]),
  ],
  // files for trainers, around an emitted function
  ["trainers", layer(["core", "dsl", "seam", "torch"])],
  ["cli", layer(everything)],
  ["demo", layer(everything)],
  ["index.ts", layer(library)],
]);

/** The folders that must know nothing of any particular objective. */
export const general: readonly string[] = [
  "core",
  "rewrite",
  "ad",
  "stream",
  "kernel",
  "rows",
  "wgsl",
  "plan",
  "seam",
  "torch",
  "triton",
];

/** Names of objectives, as words of an identifier or of a string. */
export const objectiveNames: readonly string[] = [
  "dpo",
  "wpo",
  "sft",
  "ipo",
  "kto",
  "orpo",
  "cpo",
  "tpo",
  "tdpo",
  "bco",
  "aot",
  "apo",
  "nca",
  "sppo",
  "simpo",
  "exo",
  "discopop",
];

/** Where modules that exist only outside a browser may be imported. */
export const outsideBrowsers: readonly RegExp[] = [
  /^runtime\/node(?:\/|\.ts$)/,
  /^cli\//,
  /^demo\//,
  /^conform\//,
  /^measure\//,
  /^python\//,
  /^bench\//,
  /^tensors\//,
  /^audit\//,
];

/** Modules that exist only outside a browser. */
export const isOutsideBrowsers = (specifier: string): boolean =>
  specifier.startsWith("node:") ||
  specifier === "webgpu" ||
  specifier === "tsx" ||
  specifier.startsWith("tsx/") ||
  specifier === "@sparticuz/chromium";
