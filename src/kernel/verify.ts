// Checks a kernel before it is printed: every value is well typed, every variable is declared before it is used and once where
// it can be seen, only variables and elements of writable buffers are assigned to, barriers and operations of a subgroup are
// reached by all lanes of a workgroup or by none, and what is bound fits a device. A failure is a bug of a lowering.

import { fail } from "../core/error.ts";
import { cite } from "../core/quote.ts";
import type { Binding, Memory } from "./buffer.ts";
import type { Kernel } from "./kernel.ts";
import type { Place, Statement } from "./statement.ts";
import { printStatements, printValue } from "./text.ts";
import { sameType, typeComplaint } from "./typing.ts";
import { operandsOf, type Value, type Variable } from "./value.ts";

/** What a kernel may bind, and the memory that a workgroup may have: more than any device gives. */
export const limits = { buffers: 16, uniforms: 12, sharedBytes: 65_536, lanes: 1024 } as const;

/** Bytes of memory that a workgroup shares. */
export const sharedBytes = ({ shared }: Kernel): number =>
  shared.reduce(
    (sum, { element: { type, lanes }, length }) => sum + length * lanes * (type === "pair" ? 8 : 4),
    0,
  );

interface Declared {
  readonly isVariable: boolean;
  /** Whether every lane of a workgroup has the same value. */
  isUniform: boolean;
}

/** @throws PrefcError "kernel-ill-formed" */
export function verifyKernel(kernel: Kernel): void {
  new Verifier(kernel).verify();
}

class Verifier {
  readonly #kernel: Kernel;
  readonly #memories: ReadonlyMap<
    string,
    Memory & { readonly access: Binding["access"] | "shared" }
  >;
  readonly #scopes: Map<Variable, Declared>[] = [new Map()];
  /** Whether all lanes of a workgroup are here, or none. */
  #isUniform = true;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    const shared = kernel.shared.map((memory) => ({ ...memory, access: "shared" as const }));
    const all = [...kernel.bindings, ...shared];
    this.#memories = new Map(all.map((memory) => [memory.name, memory]));
    if (this.#memories.size !== all.length) this.#broken("two buffers have one name");
  }

  verify(): void {
    const { bindings, workgroup, body } = this.#kernel;
    const uniforms = bindings.filter(({ access }) => access === "uniform").length;
    const bytes = sharedBytes(this.#kernel);
    if (bindings.length - uniforms > limits.buffers || uniforms > limits.uniforms)
      this.#broken(`it binds ${bindings.length} buffers`);
    if (bytes > limits.sharedBytes) this.#broken(`a workgroup shares ${bytes} bytes`);
    if (!Number.isInteger(workgroup) || workgroup < 1 || workgroup > limits.lanes)
      this.#broken(`a workgroup has ${workgroup} lanes`);
    this.#statements(body);
  }

  #broken(what: string, at: string = ""): never {
    const [line = ""] = at.split("\n");
    const where = line === "" ? "" : ` in ${cite(line)}`;
    return fail(
      "kernel-ill-formed",
      `The kernel ${cite(this.#kernel.name)} is ill formed${where}: ${what}; this is a bug of prefc, so please report it with the objective.`,
    );
  }

  #find(variable: Variable): Declared | undefined {
    return this.#scopes.findLast((scope) => scope.has(variable))?.get(variable);
  }
  #declare(variable: Variable, declared: Declared, at: Statement): void {
    if (this.#find(variable) !== undefined)
      this.#broken(`${variable.name} is declared twice`, text(at));
    this.#scopes.at(-1)!.set(variable, declared);
  }

  /** Checks a value; whether every lane has the same. */
  #value(value: Value): boolean {
    let isUniform = true;
    for (const operand of operandsOf(value)) if (!this.#value(operand)) isUniform = false;
    const wrong = typeComplaint(value);
    if (wrong !== null) this.#broken(wrong, printValue(value));
    switch (value.kind) {
      case "variable": {
        const declared = this.#find(value);
        if (declared === undefined) return this.#broken(`${value.name} is not declared`);
        return declared.isUniform;
      }
      case "builtin":
        return value.name !== "lane";
      case "load":
        return isUniform && this.#memory(value.buffer).access === "read";
      case "subgroup":
        if (!this.#isUniform)
          this.#broken("some lanes skip an operation of their subgroup", printValue(value));
        return false;
      default:
        return isUniform;
    }
  }

  #memory(memory: Memory): Memory & { readonly access: Binding["access"] | "shared" } {
    const bound = this.#memories.get(memory.name);
    if (bound === undefined) return this.#broken(`${memory.name} is not bound`);
    const isAlike =
      sameType(bound.element, memory.element) &&
      (bound.element.atomic === true) === (memory.element.atomic === true);
    if (!isAlike) this.#broken(`${memory.name} has other elements`);
    return bound;
  }

  #statements(statements: readonly Statement[]): void {
    for (const statement of statements) this.#statement(statement);
  }
  /** Statements that only some lanes may take. */
  #nested(statements: readonly Statement[], isUniform: boolean, variable?: () => void): void {
    const before = this.#isUniform;
    this.#isUniform = before && isUniform;
    this.#scopes.push(new Map());
    variable?.();
    this.#statements(statements);
    this.#scopes.pop();
    this.#isUniform = before;
  }

  #statement(statement: Statement): void {
    switch (statement.kind) {
      case "let":
      case "var": {
        const { kind, variable, value } = statement;
        const isUniform = this.#value(value) && this.#isUniform;
        if (!sameType(variable, value)) this.#broken("a variable of another type", text(statement));
        this.#declare(variable, { isVariable: kind === "var", isUniform }, statement);
        break;
      }
      case "assign": {
        const isUniform = this.#value(statement.value) && this.#isUniform;
        this.#place(statement.target, isUniform, statement);
        if (!sameType(statement.target, statement.value))
          this.#broken("a value of another type", text(statement));
        break;
      }
      case "atomic": {
        const { target, value } = statement;
        this.#value(target);
        this.#value(value);
        const isAtomic = target.buffer.element.atomic === true && sameType(target, value);
        if (!isAtomic) this.#broken("the element is not atomic", text(statement));
        break;
      }
      case "for": {
        const { variable, from, below, step, body } = statement;
        const bounds = [from, below, step].map((bound) => {
          if (!sameType(variable, bound)) this.#broken("a bound of another type", text(statement));
          return bound === below ? true : this.#value(bound);
        });
        const isUniform = this.#isUniformLater(below, body) && bounds.every(Boolean);
        this.#nested(body, isUniform, () => {
          this.#declare(variable, { isVariable: false, isUniform }, statement);
        });
        break;
      }
      case "if": {
        const { condition, body, otherwise = [] } = statement;
        const isUniform = this.#value(condition);
        if (condition.type !== "bool" || condition.lanes !== 1)
          this.#broken("a condition of another type", text(statement));
        this.#nested(body, isUniform);
        this.#nested(otherwise, isUniform);
        // where some lanes have left, those that stay are not all
        if (!isUniform && [...body, ...otherwise].some(leaves)) this.#isUniform = false;
        break;
      }
      case "barrier":
        if (!this.#isUniform) this.#broken("some lanes skip a barrier", text(statement));
        break;
      case "return":
        break;
    }
  }

  /** A bound is asked for before each round: what the rounds assign to is not the same for all lanes unless it stays so. */
  #isUniformLater(below: Value, body: readonly Statement[]): boolean {
    const isUniform = this.#value(below);
    return isUniform && !body.some((statement) => assignsTo(statement, below));
  }

  #place(target: Place, isUniform: boolean, statement: Statement): void {
    if (target.kind === "variable") {
      const declared = this.#find(target);
      if (declared === undefined) this.#broken(`${target.name} is not declared`, text(statement));
      if (!declared.isVariable) this.#broken(`${target.name} is not a variable`, text(statement));
      declared.isUniform &&= isUniform;
      return;
    }
    this.#value(target);
    const load = target.kind === "load" ? target : target.of;
    if (load.kind !== "load") return this.#broken("it is not a place", text(statement));
    const { access, element } = this.#memory(load.buffer);
    if (access !== "write" && access !== "shared")
      this.#broken(`${load.buffer.name} is only read`, text(statement));
    if (element.atomic === true) this.#broken("an atomic element is assigned to", text(statement));
  }
}

const text = (statement: Statement): string => printStatements([statement]);

function leaves(statement: Statement): boolean {
  if (statement.kind === "return") return true;
  if (statement.kind === "for") return statement.body.some(leaves);
  return (
    statement.kind === "if" && [...statement.body, ...(statement.otherwise ?? [])].some(leaves)
  );
}

/** Whether a statement assigns to a variable of a value. */
function assignsTo(statement: Statement, value: Value): boolean {
  switch (statement.kind) {
    case "assign":
      return statement.target.kind === "variable" && uses(value, statement.target);
    case "for":
      return statement.body.some((inner) => assignsTo(inner, value));
    case "if":
      return [...statement.body, ...(statement.otherwise ?? [])].some((inner) =>
        assignsTo(inner, value),
      );
    default:
      return false;
  }
}
const uses = (value: Value, variable: Variable): boolean =>
  value === variable || operandsOf(value).some((operand) => uses(operand, variable));
