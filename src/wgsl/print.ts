// Prints a kernel as WGSL: bindings, workgroup memory, the prelude functions that the body calls, and the
// body with a comment for each source expression. The text depends on the kernel alone, so it is the key of
// the pipeline cache; no name chosen by a user reaches it.

import { spelled, type Kernel, type Statement } from "../kernel/kernel.ts";
import { prelude } from "./prelude.generated.ts";

/** The uniforms that every kernel may read: extents of the batch, and the window of rows of a dispatch. */
const structs: Readonly<Record<string, string>> = {
  Shape: "struct Shape { examples: u32, tokens: u32, vocab: u32 }",
  Window: "struct Window { first_row: u32, rows: u32, grid_width: u32 }",
};

export function printKernel(kernel: Kernel): string {
  const body = kernel.body.flatMap((statement) => lines(statement, 1));
  const text = body.join("\n");
  const declarations = kernel.bindings.map(({ name, access, type }, binding) => {
    const space =
      access === "uniform"
        ? "uniform"
        : access === "read"
          ? "storage, read"
          : "storage, read_write";
    return `@group(0) @binding(${binding}) var<${space}> ${name}: ${access === "uniform" ? type : `array<${type}>`};`;
  });
  const used = Object.keys(structs).filter((name) =>
    kernel.bindings.some(({ type }) => type === name),
  );
  return [
    ...(/\bsubgroup[A-Z]/.test(text) ? ["enable subgroups;"] : []),
    ...used.map((name) => structs[name]!),
    ...declarations,
    ...kernel.shared.map(
      ({ name, type, length }) => `var<workgroup> ${name}: array<${spelled(type)}, ${length}>;`,
    ),
    ...functionsUsed(text),
    `@compute @workgroup_size(${kernel.workgroup})`,
    "fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {",
    text,
    "}",
    "",
  ].join("\n");
}

interface PreludeFunction {
  readonly source: string;
  /** The words of its body, among which are the functions that it calls. */
  readonly words: ReadonlySet<string>;
}

const wordsOf = (text: string): ReadonlySet<string> => new Set(text.match(/\w+/g) ?? []);

/** Every function of the prelude by name, with the comment before it. */
const functions: ReadonlyMap<string, PreludeFunction> = new Map(
  Object.values(prelude).flatMap((file) =>
    [...file.matchAll(/(?:^\/\/.*\n)*^fn (\w+)\([^]*?^\}\n/gm)].map(([source, name]) => {
      const code = source.replaceAll(/^\/\/.*\n/gm, "");
      return [name!, { source, words: wordsOf(code) }] as const;
    }),
  ),
);

/** The prelude functions that a text calls, with those that they call, before their users. */
function functionsUsed(text: string): readonly string[] {
  const chosen = new Set<string>();
  const visit = (words: ReadonlySet<string>): void => {
    for (const [name, { words: own }] of functions) {
      if (!words.has(name) || chosen.has(name)) continue;
      visit(new Set([...own].filter((word) => word !== name)));
      chosen.add(name);
    }
  };
  visit(wordsOf(text));
  return [...chosen].map((name) => functions.get(name)!.source.trimEnd());
}

function lines(statement: Statement, depth: number): readonly string[] {
  const pad = "  ".repeat(depth);
  const nested = (body: readonly Statement[]): readonly string[] =>
    body.flatMap((inner) => lines(inner, depth + 1));
  switch (statement.kind) {
    case "let":
    case "var":
      return [`${pad}${statement.kind} ${statement.name} = ${statement.value.code};`];
    case "assign":
      return [`${pad}${statement.target} = ${statement.value.code};`];
    case "for": {
      const { name, from, below, step } = statement;
      return [
        `${pad}for (var ${name} = ${from.code}; ${name} < ${below.code}; ${name} += ${step.code}) {`,
        ...nested(statement.body),
        `${pad}}`,
      ];
    }
    case "if":
      return [
        `${pad}if (${statement.condition.code}) {`,
        ...nested(statement.body),
        ...(statement.otherwise === undefined
          ? []
          : [`${pad}} else {`, ...nested(statement.otherwise)]),
        `${pad}}`,
      ];
    case "call":
      return [`${pad}${statement.code};`];
    case "barrier":
      return [`${pad}storageBarrier();`, `${pad}workgroupBarrier();`];
    case "return":
      return [`${pad}return;`];
    case "comment":
      return [`${pad}// ${statement.text}`];
  }
}
