// Prints a kernel as WGSL: bindings, workgroup memory, the prelude functions that the body calls, and the
// body with a comment for each source expression. The text depends on the kernel alone, so it is the key of
// the pipeline cache; no name chosen by a user reaches it.

import { spelled, type Kernel, type Statement } from "../kernel/kernel.ts";
import type { Node } from "../core/node.ts";
import { prelude } from "./prelude.generated.ts";

/** The uniforms that every kernel may read: extents of the batch, and the window of rows of a dispatch. */
const structs: Readonly<Record<string, string>> = {
  Shape: "struct Shape { examples: u32, tokens: u32, vocab: u32 }",
  Window: "struct Window { first_row: u32, rows: u32, grid_width: u32 }",
};

export function printKernel(kernel: Kernel): string {
  return printed(kernel).text;
}

/** The expression that each line of the printed kernel helps to compute, by the number of the line, from 1. */
export function sourceLines(kernel: Kernel): ReadonlyMap<number, Node> {
  const { body, before } = printed(kernel);
  return new Map(
    body.flatMap(({ source }, position) =>
      source === undefined ? [] : [[before + position + 1, source] as const],
    ),
  );
}

interface Line {
  readonly text: string;
  readonly source?: Node | undefined;
}
interface Printed {
  readonly text: string;
  readonly body: readonly Line[];
  /** How many lines come before the body. */
  readonly before: number;
}

function printed(kernel: Kernel): Printed {
  const body = kernel.body.flatMap((statement) => lines(statement, 1));
  const text = body.map((line) => line.text).join("\n");
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
  const head = [
    ...(/\bsubgroup[A-Z]/.test(text) ? ["enable subgroups;"] : []),
    ...used.map((name) => structs[name]!),
    ...declarations,
    ...kernel.shared.map(
      ({ name, type, length }) => `var<workgroup> ${name}: array<${spelled(type)}, ${length}>;`,
    ),
    ...functionsUsed(text),
    `@compute @workgroup_size(${kernel.workgroup})`,
    "fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {",
  ].join("\n");
  return { text: `${head}\n${text}\n}\n`, body, before: head.split("\n").length };
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

function lines(statement: Statement, depth: number): readonly Line[] {
  const pad = "  ".repeat(depth);
  const line = (text: string, source?: Node): Line => ({ text: `${pad}${text}`, source });
  const nested = (body: readonly Statement[]): readonly Line[] =>
    body.flatMap((inner) => lines(inner, depth + 1));
  switch (statement.kind) {
    case "let":
    case "var":
      return [
        line(`${statement.kind} ${statement.name} = ${statement.value.code};`, statement.source),
      ];
    case "assign":
      return [line(`${statement.target} = ${statement.value.code};`, statement.source)];
    case "for": {
      const { name, from, below, step } = statement;
      return [
        line(
          `for (var ${name} = ${from.code}; ${name} < ${below.code}; ${name} += ${step.code}) {`,
        ),
        ...nested(statement.body),
        line(`}`),
      ];
    }
    case "if":
      return [
        line(`if (${statement.condition.code}) {`),
        ...nested(statement.body),
        ...(statement.otherwise === undefined
          ? []
          : [line(`} else {`), ...nested(statement.otherwise)]),
        line(`}`),
      ];
    case "call":
      return [line(`${statement.code};`)];
    case "barrier":
      return [line(`storageBarrier();`), line(`workgroupBarrier();`)];
    case "return":
      return [line(`return;`)];
    case "comment":
      return [line(`// ${statement.text}`)];
  }
}
