// Statements of a kernel: a small structured tree with bounded loops only. Each may carry the expression of the core that it
// helps to compute, so that a complaint about a line of a shader can name it.

import type { Node } from "../core/node.ts";
import type { Component, Load, Value, Variable } from "./value.ts";

/** The expression that a statement helps to compute; it is not printed. */
interface Sourced {
  readonly source?: Node;
}
/** What may be assigned to: a variable, an element of a buffer, or a component of one. */
export type Place = Variable | Load | Component;

export interface Declaration extends Sourced {
  readonly kind: "let" | "var";
  readonly variable: Variable;
  readonly value: Value;
}
export interface Assignment extends Sourced {
  readonly kind: "assign";
  readonly target: Place;
  readonly value: Value;
}
export interface For {
  readonly kind: "for";
  readonly variable: Variable;
  readonly from: Value;
  readonly below: Value;
  readonly step: Value;
  readonly body: readonly Statement[];
}
export interface If {
  readonly kind: "if";
  readonly condition: Value;
  readonly body: readonly Statement[];
  readonly otherwise?: readonly Statement[];
}
/** Changes an atomic element in one step: to the larger number, or to the bits that both have, or that either has. */
export interface Atomic {
  readonly kind: "atomic";
  readonly op: "max" | "and" | "or";
  readonly target: Load;
  readonly value: Value;
}
export type Statement =
  | Declaration
  | Assignment
  | For
  | If
  | Atomic
  | { readonly kind: "barrier" }
  | { readonly kind: "return" };

export const letValue = (variable: Variable, value: Value): Declaration => ({
  kind: "let",
  variable,
  value,
});
export const varValue = (variable: Variable, value: Value): Declaration => ({
  kind: "var",
  variable,
  value,
});
export const assign = (target: Place, value: Value): Assignment => ({
  kind: "assign",
  target,
  value,
});
export const atomic = (op: Atomic["op"], target: Load, value: Value): Atomic => ({
  kind: "atomic",
  op,
  target,
  value,
});
export const barrier: Statement = { kind: "barrier" };
export const leave: Statement = { kind: "return" };
export const when = (
  condition: Value,
  body: readonly Statement[],
  otherwise?: readonly Statement[],
): If =>
  otherwise === undefined
    ? { kind: "if", condition, body }
    : { kind: "if", condition, body, otherwise };
export const loop = (
  variable: Variable,
  from: Value,
  below: Value,
  step: Value,
  body: readonly Statement[],
): For => ({ kind: "for", variable, from, below, step, body });

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
      case "atomic":
      case "barrier":
      case "return":
        return statement;
    }
  });
