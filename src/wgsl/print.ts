// Prints a kernel as WGSL: bindings, workgroup memory, the functions of the prelude that it calls, and its statements. The
// text depends on the kernel alone, so it is the key of the pipeline cache; no name chosen by a user reaches it. This folder
// and kernels/prelude are the only places that know the language.

import type { Node } from "../core/node.ts";
import type { Binding, Kernel, Place, Statement, Variable } from "../kernel/kernel.ts";
import { functions } from "./prelude.generated.ts";
import { elementName, placeOf, print, type Context } from "./values.ts";

/** The uniforms that kernels may read: extents of the batch, the window of rows of a dispatch, the work of a step. */
const structs = {
  shape: ["Shape", "struct Shape { examples: u32, tokens: u32, vocab: u32 }"],
  window: ["Window", "struct Window { first_row: u32, rows: u32, grid_width: u32 }"],
  work: ["Work", "struct Work { reads: u32, writes: u32, count: u32, grid_width: u32 }"],
} as const;

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
  const { bindings, shared, workgroup } = kernel;
  const names = new Names(["lane", "group", ...[...bindings, ...shared].map(({ name }) => name)]);
  const context: Context = {
    nameOf: (variable) => names.of(variable),
    called: new Set(),
    usesSubgroups: false,
  };
  const body: Line[] = [];
  lines(kernel.body, 1, body, names, context);
  const text = body.map((line) => line.text).join("\n");
  const head = [
    ...(context.usesSubgroups ? ["enable subgroups;"] : []),
    ...bindings.flatMap(({ role: { kind } }) =>
      kind === "shape" || kind === "window" || kind === "work" ? [structs[kind][1]] : [],
    ),
    ...bindings.map(declaration),
    ...shared.map(
      ({ name, element, length }) =>
        `var<workgroup> ${name}: array<${elementName(element)}, ${length}>;`,
    ),
    ...functionsUsed(context.called),
    `@compute @workgroup_size(${workgroup})`,
    "fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {",
  ].join("\n");
  return { text: `${head}\n${text}\n}\n`, body, before: head.split("\n").length };
}

function declaration({ name, role, access, element, length }: Binding, binding: number): string {
  const at = `@group(0) @binding(${binding}) var`;
  if (role.kind === "shape" || role.kind === "window" || role.kind === "work")
    return `${at}<uniform> ${name}: ${structs[role.kind][0]};`;
  if (role.kind === "params") return `${at}<uniform> ${name}: array<vec4<f32>, ${length}>;`;
  const space = access === "read" ? "storage, read" : "storage, read_write";
  return `${at}<${space}> ${name}: array<${elementName(element)}>;`;
}

/** The functions of the prelude among those that are called, and what they call, before their users. */
function functionsUsed(called: ReadonlySet<string>): readonly string[] {
  const chosen = new Set<string>();
  const visit = (wanted: ReadonlySet<string>): void => {
    for (const [name, { calls }] of Object.entries(functions)) {
      if (!wanted.has(name) || chosen.has(name)) continue;
      visit(new Set(calls));
      chosen.add(name);
    }
  };
  visit(called);
  // a driver reads no remarks
  return [...chosen].map((name) =>
    functions[name]!.source.replaceAll(/^ *\/\/.*\n/gm, "").trimEnd(),
  );
}

/** The names of variables where they can be seen: a name that is taken gets a number. */
class Names {
  readonly #reserved: ReadonlySet<string>;
  readonly #scopes: Map<Variable, string>[] = [new Map()];
  readonly #taken = new Map<string, number>();
  constructor(reserved: readonly string[]) {
    this.#reserved = new Set([...reserved, ...Object.keys(functions)]);
  }
  open(): void {
    this.#scopes.push(new Map());
  }
  close(): void {
    for (const name of this.#scopes.pop()!.values())
      this.#taken.set(name, this.#taken.get(name)! - 1);
  }
  declare(variable: Variable): string {
    let name = variable.name;
    for (let next = 2; this.#isTaken(name); next++) name = `${variable.name}_${next}`;
    this.#taken.set(name, (this.#taken.get(name) ?? 0) + 1);
    this.#scopes.at(-1)!.set(variable, name);
    return name;
  }
  of(variable: Variable): string {
    const scope = this.#scopes.findLast((one) => one.has(variable));
    return scope?.get(variable) ?? variable.name;
  }
  #isTaken(name: string): boolean {
    return this.#reserved.has(name) || (this.#taken.get(name) ?? 0) > 0;
  }
}

function place(target: Place, context: Context): string {
  return target.kind === "load" ? placeOf(target, context) : print(target, context);
}

function lines(
  statements: readonly Statement[],
  depth: number,
  out: Line[],
  names: Names,
  context: Context,
): void {
  const pad = "  ".repeat(depth);
  const line = (text: string, source?: Node): void => {
    out.push({ text: `${pad}${text}`, source });
  };
  const nested = (body: readonly Statement[]): void => {
    names.open();
    lines(body, depth + 1, out, names, context);
    names.close();
  };
  for (const statement of statements) {
    switch (statement.kind) {
      case "let":
      case "var": {
        const value = print(statement.value, context);
        const name = names.declare(statement.variable);
        line(`${statement.kind} ${name} = ${value};`, statement.source);
        break;
      }
      case "assign": {
        const target = place(statement.target, context);
        line(`${target} = ${print(statement.value, context)};`, statement.source);
        break;
      }
      case "for": {
        const [from, below, step] = [statement.from, statement.below, statement.step].map((one) =>
          print(one, context),
        );
        names.open();
        const name = names.declare(statement.variable);
        line(`for (var ${name} = ${from}; ${name} < ${below}; ${name} += ${step}) {`);
        nested(statement.body);
        names.close();
        line("}");
        break;
      }
      case "if":
        line(`if (${print(statement.condition, context)}) {`);
        nested(statement.body);
        if (statement.otherwise !== undefined) {
          line("} else {");
          nested(statement.otherwise);
        }
        line("}");
        break;
      case "atomic": {
        const name = { max: "atomicMax", and: "atomicAnd", or: "atomicOr" }[statement.op];
        line(`${name}(&${place(statement.target, context)}, ${print(statement.value, context)});`);
        break;
      }
      case "barrier":
        line("storageBarrier();");
        line("workgroupBarrier();");
        break;
      case "return":
        line("return;");
        break;
    }
  }
}
