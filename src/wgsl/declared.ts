// The bindings that WGSL of a user declares, read from its text, and how a declaration is written: for whoever runs shaders that
// prefc did not print.

/** A variable of @group(0). */
export interface Declared {
  readonly binding: number;
  readonly name: string;
  readonly writes: boolean;
}

const declaration =
  /@group\s*\(\s*0u?\s*\)\s*@binding\s*\(\s*(\d+)u?\s*\)\s*var\s*<\s*(?:uniform|storage)\s*(?:,\s*(read_write|read|write))?\s*>\s*([A-Za-z_]\w*)/g;

/** The variables of @group(0), in the order of the text. */
export const declaredIn = (wgsl: string): readonly Declared[] =>
  [...wgsl.matchAll(declaration)].map(([, binding, access, name]) => ({
    binding: Number(binding),
    name: name!,
    writes: access === "read_write" || access === "write",
  }));

/** How a buffer that is only read is declared. */
export const readOnly = "var<storage, read>";
/** How an array of numbers that is only read is declared. */
export const readDeclaration = (name: string, binding: number): string =>
  `@group(0) @binding(${binding}) ${readOnly} ${name}: array<f32>`;
