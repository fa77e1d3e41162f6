// Which specs `npm test` runs, and which only `npm run test:all` does. A spec that needs more than about fifteen seconds of
// a processor is named here, with what it does for so long. All others run with `npm test`, new ones among them.

/** Specs that take long, with the reason. Times are processor seconds on the bundled SwiftShader. */
export const long: Readonly<Record<string, string>> = {};

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
