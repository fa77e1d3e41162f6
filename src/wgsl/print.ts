// Prints a kernel as WGSL: bindings, workgroup memory, the prelude functions that the body calls, and the
// body with a comment for each source expression. The text depends on the kernel alone, so it is the key of
// the pipeline cache; no name chosen by a user reaches it.

import type { Kernel, Statement } from "../kernel/kernel.ts";
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
    ...used.map((name) => structs[name]!),
    ...declarations,
    ...kernel.shared.map(
      ({ name, type, length }) => `var<workgroup> ${name}: array<${type}, ${length}>;`,
    ),
    ...functionsUsed(text),
    `@compute @workgroup_size(${kernel.workgroup})`,
    "fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {",
    text,
    "}",
    "",
  ].join("\n");
}

/** The prelude functions that a text calls, with those that they call, before their users. */
function functionsUsed(text: string): readonly string[] {
  const chosen = new Set<string>();
  const visit = (code: string): void => {
    for (const [name, source] of Object.entries(prelude)) {
      if (chosen.has(name) || !new RegExp(`\\b${name}\\(`).test(code)) continue;
      visit(source.replaceAll(new RegExp(`fn ${name}\\(`, "g"), ""));
      chosen.add(name);
    }
  };
  visit(text);
  return [...chosen].map((name) => prelude[name]!.trimEnd());
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
