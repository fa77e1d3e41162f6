// The row program: everything between two passes over the vocabulary. Values live per token (fields), per
// example, or once; a value is stored when a value of another kind needs it, and computed again otherwise.
// One workgroup runs all of it, stage by stage, with a barrier between stages; sums use partial sums of fixed
// shape, so results are the same in every run.

import { isTokenAxis, responseOf, type Axis } from "../core/axis.ts";
import { binary, reduce, substitute, unary } from "../core/build.ts";
import { fail } from "../core/error.ts";
import { topological, type Node } from "../core/node.ts";
import * as k from "./kernel.ts";
import type { Binding, Kernel, Statement, Value } from "./kernel.ts";
import { name } from "./row.ts";
import { scope, type Leaf, type Scope } from "./scalar.ts";
import type { Schedule } from "./schedule.ts";

/** A value per completion token of one response. */
export interface TokenOutput {
  readonly node: Node;
  readonly response: string;
  readonly field: number;
}

/** Where the values of a row program come from and go to. */
export interface RowProgram {
  /** Values per token of a response: node → row field. */
  readonly tokenOutputs: readonly TokenOutput[];
  /** Values per example. */
  readonly exampleOutputs: readonly { readonly node: Node; readonly slot: number }[];
  /** Single values. */
  readonly scalarOutputs: readonly { readonly node: Node; readonly slot: number }[];
  readonly rowField: (input: Node) => number;
  readonly exampleSlot: (input: Node) => number;
  readonly paramSlot: (param: Node) => number;
  /** Position of a response in the stacked tokens. */
  readonly responseIndex: (response: string) => number;
  readonly responses: number;
  /** How many vec4 hold the parameters. */
  readonly paramVectors: number;
  /** First free slots for what must be kept between stages. */
  readonly firstExampleSlot: number;
  readonly firstScalarSlot: number;
}
export interface LoweredRows {
  readonly kernel: Kernel;
  readonly exampleSlots: number;
  readonly scalarSlots: number;
}

/** Lanes that share the tokens of one example. */
const tokenLanes = 16;
type Space = "scalar" | "example" | "token";
const spaceOf = (node: Node): Space =>
  node.axes.some(isTokenAxis) ? "token" : node.axes.includes("batch") ? "example" : "scalar";
const isLeafTag = (node: Node): boolean =>
  node.tag === "const" ||
  node.tag === "param" ||
  node.tag === "input" ||
  node.tag === "iota" ||
  node.tag === "count";

/** logSumExp along tokens or examples as a maximum and a sum, two stages. */
export function withoutLogSumExp(roots: readonly Node[]): readonly Node[] {
  return substitute(
    roots,
    (node) => {
      if (node.tag !== "reduce" || node.op !== "logSumExp") return node;
      const largest = reduce("max", node.axis, node.args[0]);
      const shifted = unary("exp", binary("minus", node.args[0], largest));
      return binary("plus", largest, unary("log", reduce("sum", node.axis, shifted)));
    },
    topological(roots),
  );
}

export function rowsKernel(program: RowProgram, schedule: Schedule): LoweredRows {
  const lanes = schedule.programLanes;
  const outputs = [
    ...program.tokenOutputs,
    ...program.exampleOutputs,
    ...program.scalarOutputs,
  ].map(({ node }) => node);
  const order = topological(outputs);

  // ---- which values are stored, and in which stage each is ready
  const stored = new Set<Node>();
  for (const node of order) {
    if (node.tag === "reduce") stored.add(node);
    for (const arg of node.args) {
      const crosses = spaceOf(arg) === "example" && spaceOf(node) === "token";
      if (crosses && !isLeafTag(arg)) stored.add(arg);
    }
  }
  for (const { node } of program.exampleOutputs) if (!isLeafTag(node)) stored.add(node);
  const stage = new Map<Node, number>();
  for (const node of order) {
    const ready = node.args.map((arg) => {
      if (isLeafTag(arg)) return 0;
      const later =
        arg.tag === "reduce" ||
        (stored.has(arg) && spaceOf(arg) !== spaceOf(node) && node.tag !== "reduce");
      return stage.get(arg)! + (later ? 1 : 0);
    });
    stage.set(node, Math.max(0, ...ready));
  }
  const readyAt = (node: Node): number =>
    stage.get(node)! + (isLeafTag(node) ? 0 : node.tag === "reduce" ? 1 : 0);

  // ---- slots of stored values
  let exampleSlots = program.firstExampleSlot;
  let scalarSlots = program.firstScalarSlot;
  const slots = new Map<Node, number>();
  for (const { node, slot } of program.exampleOutputs) slots.set(node, slot);
  for (const node of stored) {
    if (slots.has(node)) continue;
    slots.set(node, spaceOf(node) === "example" ? exampleSlots++ : scalarSlots++);
  }

  // ---- leaves of an expression evaluated for one token, example, or once
  const names = { next: 0 };
  const examples = name("shape.examples", "u32");
  const token = name("token", "u32");
  const example = name("example", "u32");
  const exampleAt = (slot: number): Value =>
    k.load("examples", k.plus(k.times(k.u32(slot), examples), example), "f32");
  const offset = (response: string, step: number): Value => {
    const start = k.times(k.u32(program.responseIndex(response)), k.plus(examples, k.u32(1)));
    return k.load("ragged", k.plus(k.plus(start, example), k.u32(step)), "u32");
  };
  const leaf =
    (current: number, computing: Node | null): Leaf =>
    (node) => {
      switch (node.tag) {
        case "param": {
          const slot = program.paramSlot(node);
          return k.value("f32", `params[${Math.floor(slot / 4)}].${"xyzw"[slot % 4]}`);
        }
        case "input":
          if (spaceOf(node) === "token") {
            if (node.dtype === "i32") return k.call("i32", "i32", k.load("labels", token, "u32"));
            return k.load(
              "rows",
              k.plus(k.times(k.u32(program.rowField(node)), name("shape.tokens", "u32")), token),
              "f32",
            );
          }
          return exampleAt(program.exampleSlot(node));
        case "iota":
          if (node.axis === "batch") return k.call("i32", "i32", example);
          return isTokenAxis(node.axis)
            ? k.call("i32", "i32", k.minus(token, offset(responseOf(node.axis), 0)))
            : null;
        case "count":
          if (node.axis === "batch") return k.call("f32", "f32", examples);
          if (node.axis === "vocab") return k.call("f32", "f32", name("shape.vocab", "u32"));
          return k.call(
            "f32",
            "f32",
            k.minus(offset(responseOf(node.axis), 1), offset(responseOf(node.axis), 0)),
          );
        case "const":
        case "unary":
        case "binary":
        case "select":
        case "stop":
        case "at":
        case "reduce": {
          const slot = slots.get(node);
          if (slot === undefined || node === computing || !stored.has(node)) return null;
          if (node.tag !== "reduce" && readyAt(node) >= current) return null;
          return spaceOf(node) === "example"
            ? exampleAt(slot)
            : k.load("scalars", k.u32(slot), "f32");
        }
      }
    };
  const open = (current: number, computing: Node | null = null): Scope =>
    scope(leaf(current, computing), names);

  const body: Statement[] = [];
  const lane = name("lane", "u32");
  const combine = (op: string, a: Value, b: Value): Value =>
    op === "max" ? k.maximum(a, b) : k.plus(a, b);
  const identity = (op: string): Value => (op === "max" ? k.f32(-3e38) : k.f32(0));
  const storeExample = (slot: number, v: Value): Statement =>
    k.assign(`examples[${k.plus(k.times(k.u32(slot), examples), example).code}]`, v);

  /** Σ or max over the tokens of each example: a few lanes share an example, then one adds their parts. */
  const reduceTokens = (node: Node & { tag: "reduce" }, current: number, axis: Axis): void => {
    const response = isTokenAxis(axis)
      ? responseOf(axis)
      : fail("kernel-axis", `Cannot reduce along ${axis} here.`);
    const inner = open(current);
    const part = inner.value(node.args[0]);
    const perRound = lanes / tokenLanes;
    body.push(
      k.loop("first", k.u32(0), examples, k.u32(perRound), [
        k.letValue("example", k.plus(name("first", "u32"), k.infix(lane, "/", k.u32(tokenLanes)))),
        k.letValue("part", k.infix(lane, "%", k.u32(tokenLanes))),
        k.varValue("sum", identity(node.op)),
        k.when(k.infix(example, "<", examples), [
          k.letValue("end", offset(response, 1)),
          k.loop(
            "token",
            k.plus(offset(response, 0), name("part", "u32")),
            name("end", "u32"),
            k.u32(tokenLanes),
            [...inner.statements, k.assign("sum", combine(node.op, name("sum"), part))],
          ),
        ]),
        k.assign("partial[lane]", name("sum")),
        k.barrier,
        k.when(k.value("bool", `${name("part", "u32").code} == 0u && example < ${examples.code}`), [
          k.loop("j", k.plus(lane, k.u32(1)), k.plus(lane, k.u32(tokenLanes)), k.u32(1), [
            k.assign(
              "sum",
              combine(node.op, name("sum"), k.load("partial", name("j", "u32"), "f32")),
            ),
          ]),
          storeExample(slots.get(node)!, name("sum")),
        ]),
        k.barrier,
      ]),
    );
  };
  /** Σ or max over the batch: each lane takes every lanes-th example, then lane 0 adds the parts. */
  const reduceBatch = (node: Node & { tag: "reduce" }, current: number): void => {
    const inner = open(current);
    const part = inner.value(node.args[0]);
    const total = `total${names.next++}`;
    body.push(
      k.varValue(total, identity(node.op)),
      k.loop("example", lane, examples, k.u32(lanes), [
        ...inner.statements,
        k.assign(total, combine(node.op, name(total), part)),
      ]),
      k.assign("partial[lane]", name(total)),
      k.barrier,
      k.when(k.infix(lane, "==", k.u32(0)), [
        k.loop("j", k.u32(1), k.u32(lanes), k.u32(1), [
          k.assign(
            total,
            combine(node.op, name(total), k.load("partial", name("j", "u32"), "f32")),
          ),
        ]),
        k.assign(`scalars[${slots.get(node)!}]`, name(total)),
      ]),
      k.barrier,
    );
  };
  const perExample = (nodes: readonly Node[], current: number): void => {
    const inner = nodes.length > 0 ? open(current) : null;
    if (inner === null) return;
    const stores: Statement[] = [];
    for (const node of nodes) stores.push(storeExample(slots.get(node)!, inner.value(node)));
    body.push(k.loop("example", lane, examples, k.u32(lanes), [...inner.statements, ...stores]));
  };
  const perToken = (response: string, list: readonly TokenOutput[], current: number): void => {
    const inner = open(current);
    const stores = list.map(({ node, field }) =>
      k.assign(
        `rows[${k.plus(k.times(k.u32(field), name("shape.tokens", "u32")), token).code}]`,
        inner.value(node),
      ),
    );
    const index = program.responseIndex(response);
    const at = (position: Value): Value =>
      k.load("ragged", k.plus(k.times(k.u32(index), k.plus(examples, k.u32(1))), position), "u32");
    const owners = k.times(k.u32(program.responses), k.plus(examples, k.u32(1)));
    body.push(
      k.loop("token", k.plus(at(k.u32(0)), lane), at(examples), k.u32(lanes), [
        k.letValue("example", k.load("ragged", k.plus(owners, token), "u32")),
        ...inner.statements,
        ...stores,
      ]),
    );
  };

  const last = Math.max(0, ...outputs.map(readyAt));
  for (let current = 0; current <= last; current++) {
    const reductions = order.filter(
      (node): node is Node & { tag: "reduce" } =>
        node.tag === "reduce" && stage.get(node) === current,
    );
    for (const node of reductions)
      if (node.axis !== "batch") reduceTokens(node, current, node.axis);
    const tokenWork = program.tokenOutputs.filter(({ node }) => readyAt(node) === current);
    for (const response of new Set(tokenWork.map((output) => output.response))) {
      perToken(
        response,
        tokenWork.filter((output) => output.response === response),
        current,
      );
    }
    perExample(
      [...stored].filter(
        (node) =>
          node.tag !== "reduce" && spaceOf(node) === "example" && stage.get(node) === current,
      ),
      current,
    );
    for (const node of reductions) if (node.axis === "batch") reduceBatch(node, current);
    body.push(k.barrier);
  }
  const finals = open(last + 1);
  const stores: Statement[] = [];
  for (const { node, slot } of program.scalarOutputs)
    stores.push(k.assign(`scalars[${slot}]`, finals.value(node)));
  if (stores.length > 0)
    body.push(k.when(k.infix(lane, "==", k.u32(0)), [...finals.statements, ...stores]));

  const kernel: Kernel = {
    name: "row program",
    bindings: bindingsOf(program),
    workgroup: lanes,
    shared: [{ name: "partial", type: "f32", length: lanes }],
    body,
    grid: "single",
  };
  return { kernel, exampleSlots, scalarSlots };
}

function bindingsOf(program: RowProgram): readonly Binding[] {
  return [
    { name: "shape", role: { kind: "shape" }, access: "uniform", type: "Shape" },
    {
      name: "params",
      role: { kind: "params" },
      access: "uniform",
      type: `array<vec4<f32>, ${program.paramVectors}>`,
    },
    { name: "ragged", role: { kind: "ragged" }, access: "read", type: "u32" },
    { name: "labels", role: { kind: "labels" }, access: "read", type: "u32" },
    { name: "rows", role: { kind: "rows" }, access: "write", type: "f32" },
    { name: "examples", role: { kind: "examples" }, access: "write", type: "f32" },
    { name: "scalars", role: { kind: "scalars" }, access: "write", type: "f32" },
  ];
}
