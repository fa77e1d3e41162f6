// The compute entry points of a text in WGSL, whoever wrote it: a driver is asked about each by its name.

export const entryPoints = (wgsl: string): readonly string[] =>
  [...wgsl.matchAll(/@compute\b[^;{}]*?\bfn\s+(\w+)/g)].map(([, name]) => name ?? "");
