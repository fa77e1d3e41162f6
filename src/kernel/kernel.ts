// The kernel level: one compute shader as data. Statements are a small structured tree (bounded loops only),
// values are typed fragments whose operands were checked when they were put together, and each storage
// buffer is named by what it holds. wgsl/print.ts turns a kernel into text; nothing else writes WGSL.

import { fail } from "../core/error.ts";
import type { Node } from "../core/node.ts";

/** "pair" is a float in two parts, a vec2 (arithmetic.ts). */
export type Scalar = "f32" | "u32" | "i32" | "bool" | "pair";

/** How a type is written in WGSL. */
export const spelled = (type: Scalar): string => (type === "pair" ? "vec2<f32>" : type);
export type Lanes = 1 | 4;
export interface Value {
  readonly type: Scalar;
  /** Components: 1 for a scalar, 4 for a vec4. */
  readonly lanes: Lanes;
  readonly code: string;
}

/** The expression that a statement helps to compute, for complaints about its line; it is not printed. */
interface Sourced {
  readonly source?: Node;
}
export type Statement =
  | ({ readonly kind: "let" | "var"; readonly name: string; readonly value: Value } & Sourced)
  | ({ readonly kind: "assign"; readonly target: string; readonly value: Value } & Sourced)
  | {
      readonly kind: "for";
      readonly name: string;
      readonly from: Value;
      readonly below: Value;
      readonly step: Value;
      readonly body: readonly Statement[];
    }
  | {
      readonly kind: "if";
      readonly condition: Value;
      readonly body: readonly Statement[];
      readonly otherwise?: readonly Statement[];
    }
  | { readonly kind: "call"; readonly code: string }
  | { readonly kind: "barrier" }
  | { readonly kind: "return" }
  | { readonly kind: "comment"; readonly text: string };

/** What a buffer holds; the runtime fills the role from the batch. */
export type Role =
  | {
      readonly kind:
        | "shape"
        | "window"
        | "params"
        | "labels"
        | "ragged"
        | "rows"
        | "examples"
        | "scalars"
        | "status"
        | "parts";
    }
  /** token of a physical row, or a marker, for the tensors of one model */
  | { readonly kind: "tokenOf"; readonly model: string }
  /** physical row of a token */
  | { readonly kind: "rowOf"; readonly model: string }
  | { readonly kind: "logits"; readonly model: string }
  | { readonly kind: "gradient"; readonly model: string };

export interface Binding {
  readonly name: string;
  readonly role: Role;
  readonly access: "uniform" | "read" | "write";
  /** WGSL element type of the array, or the struct for a uniform. */
  readonly type: string;
}
export interface Shared {
  readonly name: string;
  readonly type: Scalar;
  readonly length: number;
}
export interface Kernel {
  readonly name: string;
  readonly bindings: readonly Binding[];
  readonly workgroup: number;
  readonly shared: readonly Shared[];
  readonly body: readonly Statement[];
  /** How the grid is chosen: a workgroup for each physical row of a window, or a single one. */
  readonly grid: "row" | "single";
  /** Workgroups that share a row, along z; 1. */
  readonly parts?: number;
}

/** `tokenOf` of a physical row that no completion token uses: its gradient is zero. */
export const noToken = 0xffffffff;
/** `tokenOf` of a physical row that another dispatch of the same pass writes. */
export const otherDispatch = 0xfffffffe;

export const value = (type: Scalar, code: string, lanes: Lanes = 1): Value => ({
  type,
  lanes,
  code,
});
export const u32 = (n: number): Value => value("u32", `${n}u`);

/** A finite f32 literal; a number outside f32's range would be a compile error in WGSL. */
export function f32(n: number): Value {
  const rounded = Math.fround(n);
  if (!Number.isFinite(rounded)) {
    fail(
      "constant-exceeds-f32",
      `The constant ${n} is outside the range of f32; rescale the expression.`,
    );
  }
  const text = String(rounded);
  return value("f32", /[.e]/.test(text) ? text : `${text}.0`);
}

export function infix(a: Value, op: string, b: Value): Value {
  sameType(a, b, op);
  const comparison = ["<", "<=", ">", ">=", "==", "!="].includes(op);
  const lanes: Lanes = a.lanes === 4 || b.lanes === 4 ? 4 : 1;
  return value(comparison ? "bool" : a.type, `(${a.code} ${op} ${b.code})`, lanes);
}
export const plus = (a: Value, b: Value): Value => infix(a, "+", b);
export const minus = (a: Value, b: Value): Value => infix(a, "-", b);
export const times = (a: Value, b: Value): Value => infix(a, "*", b);

export function call(name: string, type: Scalar, ...args: readonly Value[]): Value {
  const lanes = args.some((arg) => arg.lanes === 4) ? 4 : 1;
  return value(type, `${name}(${args.map(({ code }) => code).join(", ")})`, lanes);
}
export const maximum = (a: Value, b: Value): Value => {
  sameType(a, b, "max");
  return call("max", a.type, a, b);
};
export const exp = (a: Value): Value => call("exp", "f32", a);

export function choose(condition: Value, whenTrue: Value, whenFalse: Value): Value {
  sameType(whenTrue, whenFalse, "select");
  const lanes: Lanes = whenTrue.lanes;
  return value(
    whenTrue.type,
    `select(${whenFalse.code}, ${whenTrue.code}, ${condition.code})`,
    lanes,
  );
}
/** A scalar repeated in each component. */
export const splat = (a: Value, lanes: Lanes): Value =>
  lanes === 1 || a.lanes === 4 ? a : value(a.type, `vec4<${a.type}>(${a.code})`, 4);
export const load = (buffer: string, index: Value, type: Scalar, lanes: Lanes = 1): Value =>
  value(type, `${buffer}[${index.code}]`, lanes);
export const component = (a: Value, position: number): Value =>
  a.lanes === 1 ? a : value(a.type, `${a.code}.${"xyzw"[position]}`);

function sameType(a: Value, b: Value, op: string): void {
  if (a.type !== b.type)
    fail(
      "kernel-type",
      `${op}: ${a.code} is ${a.type} but ${b.code} is ${b.type}; this is a bug of prefc, so please report it with the objective.`,
    );
}

export const letValue = (name: string, v: Value): Statement => ({ kind: "let", name, value: v });
export const varValue = (name: string, v: Value): Statement => ({ kind: "var", name, value: v });
export const assign = (target: string, v: Value): Statement => ({
  kind: "assign",
  target,
  value: v,
});
/** The same statements, where those without a source compute `source`. */
export const about = (source: Node, statements: readonly Statement[]): readonly Statement[] =>
  statements.map((statement): Statement => {
    switch (statement.kind) {
      case "let":
      case "var":
      case "assign":
        return { source, ...statement };
      case "for":
        return { ...statement, body: about(source, statement.body) };
      case "if": {
        const { condition, body, otherwise } = statement;
        return when(condition, about(source, body), otherwise && about(source, otherwise));
      }
      case "call":
      case "barrier":
      case "return":
      case "comment":
        return statement;
    }
  });
export const comment = (text: string): Statement => ({ kind: "comment", text });
export const barrier: Statement = { kind: "barrier" };
export const when = (
  condition: Value,
  body: readonly Statement[],
  otherwise?: readonly Statement[],
): Statement =>
  otherwise === undefined
    ? { kind: "if", condition, body }
    : { kind: "if", condition, body, otherwise };
export const loop = (
  name: string,
  from: Value,
  below: Value,
  step: Value,
  body: readonly Statement[],
): Statement => ({
  kind: "for",
  name,
  from,
  below,
  step,
  body,
});
