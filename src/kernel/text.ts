// The printed form of a kernel, for people: what it reads and writes, and its statements, in no language of a driver. Specs
// quote it, complaints of the verifier quote parts of it, and it says nothing that a kernel does not hold.

import { match, P } from "ts-pattern";
import { binaryOps } from "../core/ops.ts";
import type { Binding, Element } from "./buffer.ts";
import type { Kernel } from "./kernel.ts";
import type { Statement } from "./statement.ts";
import type { KernelBinary, Value } from "./value.ts";

/** Between its operands, or null where an operator is printed as a function. */
function symbolOf(op: KernelBinary): string | null {
  switch (op) {
    case "remainder":
      return "mod";
    case "bitAnd":
      return "bitand";
    case "bitOr":
      return "bitor";
    case "shiftLeft":
      return "shl";
    case "shiftRight":
      return "shr";
    default:
      return binaryOps[op].infix?.symbol ?? null;
  }
}

const joined = (words: string): string => words.replaceAll(" ", "_");

/** A value; an operand is in parentheses where it is made with an infix operator. */
export function printValue(value: Value, isOperand: boolean = false): string {
  const inner = (of: Value): string => printValue(of, true);
  const called = (name: string, ...args: readonly Value[]): string =>
    `${name}(${args.map((arg) => printValue(arg)).join(", ")})`;
  return match(value)
    .with({ kind: "variable" }, ({ name }) => name)
    .with({ kind: "literal", type: "bool" }, (of) => (of.value === 1 ? "true" : "false"))
    .with({ kind: "literal" }, (of) => String(of.value))
    .with({ kind: P.union("builtin", "uniform") }, (of) => joined(of.name))
    .with({ kind: "param" }, ({ slot }) => `param[${slot}]`)
    .with({ kind: "load" }, ({ buffer, index }) => `${buffer.name}[${printValue(index)}]`)
    .with({ kind: "component" }, ({ of, position }) =>
      typeof position === "number"
        ? `${inner(of)}.${position}`
        : `${inner(of)}.[${printValue(position)}]`,
    )
    .with({ kind: "half" }, ({ of, second }) => `${inner(of)}.${second ? "second" : "first"}`)
    .with({ kind: "unary" }, ({ op, of }) => called(op, of))
    .with({ kind: "binary" }, ({ op, left, right }) => {
      const symbol = symbolOf(op);
      if (symbol === null) return called(op, left, right);
      const text = `${inner(left)} ${symbol} ${inner(right)}`;
      return isOperand ? `(${text})` : text;
    })
    .with({ kind: "select" }, ({ condition, whenTrue, whenFalse }) => {
      const text = `${inner(condition)} ? ${inner(whenTrue)} : ${inner(whenFalse)}`;
      return isOperand ? `(${text})` : text;
    })
    .with({ kind: "convert" }, ({ type, of }) => called(type, of))
    .with({ kind: "bits" }, ({ type, of }) => called(`${type}_bits`, of))
    .with({ kind: "splat" }, ({ lanes, of }) => called(`all${lanes}`, of))
    .with(
      { kind: "vector" },
      ({ parts }) => `[${parts.map((part) => printValue(part)).join(", ")}]`,
    )
    .with({ kind: "any" }, ({ of }) => called("any", of))
    .with({ kind: "subgroup" }, ({ op, of }) => called(`subgroup_${op}`, of))
    .with({ kind: "call" }, ({ name, args }) => called(name, ...args))
    .exhaustive();
}

/** Statements, a line each, nested ones two columns to the right. */
export function printStatements(statements: readonly Statement[], depth: number = 0): string {
  const pad = "  ".repeat(depth);
  const nested = (body: readonly Statement[]): string =>
    body.length === 0 ? "" : `\n${printStatements(body, depth + 1)}`;
  const line = (statement: Statement): string =>
    match(statement)
      .with({ kind: P.union("let", "var") }, ({ kind, variable, value }) => {
        const isTold = variable.lanes > 1 ? ` × ${variable.lanes}` : "";
        return `${kind} ${variable.name}: ${variable.type}${isTold} = ${printValue(value)}`;
      })
      .with(
        { kind: "assign" },
        ({ target, value }) => `${printValue(target)} ← ${printValue(value)}`,
      )
      .with({ kind: "atomic" }, ({ op, target, value }) => {
        const change = `${printValue(target)} ← ${op} ${printValue(value, true)}`;
        return `atomic ${change}`;
      })
      .with({ kind: "for" }, ({ variable, from, below, step, body }) => {
        const bounds = `${printValue(from)} until ${printValue(below)} step ${printValue(step)}`;
        return `for ${variable.name} = ${bounds}${nested(body)}`;
      })
      .with({ kind: "if" }, ({ condition, body, otherwise }) => {
        const rest = otherwise === undefined ? "" : `\n${pad}else${nested(otherwise)}`;
        return `if ${printValue(condition)}${nested(body)}${rest}`;
      })
      .with({ kind: "barrier" }, () => "barrier")
      .with({ kind: "return" }, () => "return")
      .exhaustive();
  return statements.map((statement) => `${pad}${line(statement)}`).join("\n");
}

const printElement = ({ type, lanes, atomic }: Element): string =>
  `${atomic === true ? "atomic " : ""}${type}${lanes > 1 ? ` × ${lanes}` : ""}`;
const printBinding = ({ name, access, element }: Binding): string =>
  `${access} ${name}: ${printElement(element)}`;

export function printKernel(kernel: Kernel): string {
  const { name, grid, workgroup, parts = 1, rows = 1, bindings, shared, body } = kernel;
  const size =
    grid === "row"
      ? `a workgroup for ${rows === 1 ? "each row" : `every ${rows} rows`}`
      : "as many workgroups as there is work";
  const split = parts > 1 ? `, ${parts} of them for a row` : "";
  return [
    `kernel ${name}: ${size}${split}, ${workgroup} lanes`,
    ...bindings.map(printBinding),
    ...shared.map(
      ({ name: own, element, length }) =>
        `shared ${own}: ${printElement(element)}, ${length} of them`,
    ),
    printStatements(body),
    "",
  ].join("\n");
}
