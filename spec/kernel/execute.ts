// Executes statements of a kernel in float64, lane by lane: the algebra of the running pass as the compiler wrote it, without
// the rounding of single floats. WGSL over single lanes is nearly JavaScript; what differs is spelt here. Lanes run from
// barrier to barrier, one after the other, as a workgroup would in lockstep; an operation of a subgroup, here of all lanes, is
// a barrier where every lane learns what the others have.
import { runInThisContext } from "node:vm";
import type { Statement, Value } from "../../src/kernel/kernel.ts";

const expression = ({ code }: Pick<Value, "code">): string => {
  const text = code.replaceAll(/(\d)u\b/g, "$1");
  return text.startsWith("subgroup") ? `yield* ${text}` : text;
};

function lines(statements: readonly Statement[]): readonly string[] {
  return statements.flatMap((statement): readonly string[] => {
    switch (statement.kind) {
      case "let":
      case "var":
        return [`let ${statement.name} = ${expression(statement.value)};`];
      case "assign":
        return [`${expression({ code: statement.target })} = ${expression(statement.value)};`];
      case "for": {
        const { name, from, below, step } = statement;
        return [
          `for (let ${name} = ${expression(from)}; ${name} < ${expression(below)}; ${name} += ${expression(step)}) {`,
          ...lines(statement.body),
          "}",
        ];
      }
      case "if":
        return [
          `if (${expression(statement.condition)}) {`,
          ...lines(statement.body),
          "} else {",
          ...lines(statement.otherwise ?? []),
          "}",
        ];
      case "barrier":
        return ["yield;"];
      case "return":
        return ["return;"];
      case "comment":
        return [];
      case "call":
        throw new Error(`a call has no float64 meaning here: ${statement.code}`);
    }
  });
}

const functions = {
  exp: Math.exp,
  max: Math.max,
  min: Math.min,
  select: (whenFalse: number, whenTrue: number, condition: boolean): number =>
    condition ? whenTrue : whenFalse,
  subgroupMax: function* (own: number): Generator<number, number, readonly number[]> {
    return Math.max(...(yield own));
  },
  subgroupAdd: function* (own: number): Generator<number, number, readonly number[]> {
    return (yield own).reduce((sum, value) => sum + value, 0);
  },
};

type Lane = (
  functions: object,
  shared: Readonly<Record<string, number[]>>,
  own: Readonly<Record<string, number>>,
  lane: number,
) => Generator<number | undefined, Record<string, number>, readonly number[]>;

export interface Workgroup {
  /** Names of the variables that each lane starts with, and of those read back at the end. */
  readonly variables: readonly string[];
  readonly shared: readonly string[];
}

/** Runs the statements on one lane for each record of variables; gives back the variables of each lane. */
export function executor(
  statements: readonly Statement[],
  { variables, shared }: Workgroup,
): (lanes: readonly Readonly<Record<string, number>>[]) => readonly Record<string, number>[] {
  const source = [
    "(function* (functions, shared, own, lane) {",
    `const { ${Object.keys(functions).join(", ")} } = functions;`,
    `const { ${shared.join(", ")} } = shared;`,
    `let { ${variables.join(", ")} } = own;`,
    ...lines(statements),
    `return { ${variables.join(", ")} };`,
    "})",
  ];
  const run = runInThisContext(source.join("\n")) as Lane;
  return (lanes) => {
    const memory = Object.fromEntries(shared.map((name) => [name, lanes.map(() => 0)]));
    const running = lanes.map((own, lane) => run(functions, memory, own, lane));
    const results: Record<string, number>[] = lanes.map(() => ({}));
    let told: readonly number[] = [];
    for (;;) {
      const steps = running.map((lane) => lane.next(told));
      const ended = steps.filter(({ done }) => done === true).length;
      if (ended !== 0 && ended !== steps.length) throw new Error("a barrier that some lanes skip");
      steps.forEach((step, lane) => {
        if (step.done === true) results[lane] = step.value;
      });
      if (ended > 0) return results;
      told = steps.map(({ value }) => value as number);
    }
  };
}

/** The value of one expression over variables. */
export function valueIn(value: Value, variables: Readonly<Record<string, number>>): number {
  const statement: Statement = { kind: "assign", target: "result", value };
  const names = [...Object.keys(variables), "result"];
  const [lane] = executor([statement], { variables: names, shared: [] })([
    { ...variables, result: 0 },
  ]);
  return lane!["result"]!;
}
