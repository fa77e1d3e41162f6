// Runs a kernel on the host, without a device: all lanes of a workgroup take a statement together, each where its own control
// flow goes, and one workgroup runs after the other. A barrier that some lanes of a workgroup do not reach is an error, as is
// a write beyond the end of a buffer: a device may do anything there.

import type {
  Kernel,
  Memory,
  Place,
  Statement,
  Uniform,
  Value,
  Variable,
} from "../kernel/kernel.ts";
import { HostMemory, type HostValue } from "./memory.ts";
import type { Precision } from "./numbers.ts";
import { evaluator, type Evaluate, type Frame } from "./values.ts";

export interface HostRun {
  /** The words of each buffer, by its name. */
  readonly buffers: Readonly<Record<string, Uint32Array<ArrayBuffer>>>;
  readonly uniforms: Readonly<Record<Uniform, number>>;
  readonly params: readonly number[];
  /** Workgroups along each axis of the grid. */
  readonly grid: readonly [x: number, y: number, z: number];
  readonly subgroupSize: number;
}

/** Runs all workgroups of a dispatch; what they write is in the buffers afterwards. */
export function runKernel(kernel: Kernel, given: HostRun): void {
  const { grid } = given;
  const group = { x: 0, y: 0, z: 0 };
  const memories = new Map(
    Object.entries(given.buffers).map(([name, words]) => [name, new HostMemory(words)]),
  );
  const workgroup = new Workgroup(kernel.workgroup, {
    precision: "single",
    memories,
    uniforms: given.uniforms,
    params: given.params,
    group,
    subgroupSize: given.subgroupSize,
  });
  const run = workgroup.compile(kernel.body);
  for (group.z = 0; group.z < grid[2]; group.z++)
    for (group.y = 0; group.y < grid[1]; group.y++)
      for (group.x = 0; group.x < grid[0]; group.x++) {
        for (const { name, element, length } of kernel.shared)
          memories.set(name, HostMemory.ofLength(length, element));
        workgroup.start();
        run();
      }
}

export interface WorkgroupOptions {
  readonly precision: Precision;
  readonly memories: Map<string, HostMemory>;
  readonly uniforms: Readonly<Record<Uniform, number>>;
  readonly params: readonly number[];
  readonly group: { x: number; y: number; z: number };
  readonly subgroupSize: number;
}

/** The lanes of a workgroup, with their variables. */
export class Workgroup {
  readonly #count: number;
  readonly #variables = new Map<Variable, HostValue[]>();
  readonly #memories: Map<string, HostMemory>;
  readonly #frame: Frame;
  readonly #active: { lanes: boolean[] };
  #left: boolean[] = [];

  constructor(count: number, options: WorkgroupOptions) {
    this.#count = count;
    this.#memories = options.memories;
    this.#active = { lanes: [] };
    this.#frame = {
      ...options,
      memoryOf: (memory) => this.#memoryOf(memory),
      variable: (variable) => this.valuesOf(variable),
      active: this.#active,
    };
    this.start();
  }
  /** All lanes run again, from the beginning. */
  start(): void {
    this.#active.lanes = Array.from({ length: this.#count }, () => true);
    this.#left = this.#active.lanes.map(() => false);
  }
  /** The values of a variable, by lane. */
  valuesOf(variable: Variable): HostValue[] {
    const known = this.#variables.get(variable);
    if (known !== undefined) return known;
    const values = Array.from({ length: this.#count }, (): HostValue => Number.NaN);
    this.#variables.set(variable, values);
    return values;
  }
  /** A memory of that name, whichever it is when it is used: workgroups have their own. */
  #memoryOf({ name }: Memory): HostMemory {
    const memory = (): HostMemory => {
      const own = this.#memories.get(name);
      if (own === undefined) throw new Error(`there is no buffer ${name}`);
      return own;
    };
    return {
      read: (element, index) => memory().read(element, index),
      write: (element, index, value) => memory().write(element, index, value),
      put: (element, index, position, value) => memory().put(element, index, position, value),
    } as HostMemory;
  }

  /** The statements as something to run. */
  compile(statements: readonly Statement[]): () => void {
    const steps = statements.map((statement) => this.#step(statement));
    return () => {
      for (const step of steps) {
        if (!this.#active.lanes.some(Boolean)) return;
        step();
      }
    };
  }

  #each(act: (lane: number) => void): void {
    const { lanes } = this.#active;
    for (let lane = 0; lane < lanes.length; lane++) if (lanes[lane] === true) act(lane);
  }
  /** Runs where a condition holds, and afterwards where the lanes ran before that have not left. */
  #where(holds: readonly boolean[], run: () => void): void {
    const before = this.#active.lanes;
    if (!holds.some(Boolean)) return;
    this.#active.lanes = [...holds];
    run();
    this.#active.lanes = before.map((isActive, lane) => isActive && this.#left[lane] !== true);
  }
  #value(value: Value): Evaluate {
    return evaluator(value, this.#frame);
  }
  #holding(condition: Evaluate): boolean[] {
    return this.#active.lanes.map((isActive, lane) => isActive && condition(lane) !== 0);
  }

  #step(statement: Statement): () => void {
    switch (statement.kind) {
      case "let":
      case "var":
      case "assign": {
        const value = this.#value(statement.value);
        const target = statement.kind === "assign" ? statement.target : statement.variable;
        const put = this.#writer(target);
        return () => {
          // every lane reads before any writes, as lanes of one step do
          const values = this.#active.lanes.map((isActive, lane) => (isActive ? value(lane) : 0));
          this.#each((lane) => put(lane, values[lane]!));
        };
      }
      case "atomic": {
        const { target, op } = statement;
        const [index, value] = [this.#value(target.index), this.#value(statement.value)];
        const memory = this.#memoryOf(target.buffer);
        const { element } = target.buffer;
        return () =>
          this.#each((lane) => {
            const at = index(lane) as number;
            const [old, own] = [memory.read(element, at) as number, value(lane) as number];
            const all = { max: Math.max(old, own), and: (old & own) >>> 0, or: (old | own) >>> 0 };
            memory.write(element, at, all[op]);
          });
      }
      case "for": {
        const { variable, body } = statement;
        const [from, below, step] = [statement.from, statement.below, statement.step].map((one) =>
          this.#value(one),
        ) as [Evaluate, Evaluate, Evaluate];
        const values = this.valuesOf(variable);
        const run = this.compile(body);
        return () => {
          this.#each((lane) => (values[lane] = from(lane)));
          const isBelow: Evaluate = (lane) =>
            Number((values[lane] as number) < (below(lane) as number));
          let holds = this.#holding(isBelow);
          while (holds.some(Boolean)) {
            const running = holds;
            this.#where(running, () => {
              run();
              this.#each((lane) => {
                values[lane] = ((values[lane] as number) + (step(lane) as number)) >>> 0;
              });
            });
            holds = running.map(
              (isRunning, lane) => isRunning && this.#left[lane] !== true && isBelow(lane) !== 0,
            );
          }
        };
      }
      case "if": {
        const condition = this.#value(statement.condition);
        const run = this.compile(statement.body);
        const otherwise = this.compile(statement.otherwise ?? []);
        return () => {
          const holds = this.#holding(condition);
          const rest = this.#active.lanes.map((isActive, lane) => isActive && holds[lane] !== true);
          this.#where(holds, run);
          this.#where(rest, otherwise);
        };
      }
      case "barrier":
        return () => {
          if (this.#active.lanes.some((isActive) => !isActive))
            throw new Error("a barrier that some lanes of a workgroup do not reach");
        };
      case "return":
        return () => {
          this.#each((lane) => (this.#left[lane] = true));
          this.#active.lanes = this.#active.lanes.map(() => false);
        };
    }
  }

  #writer(target: Place): (lane: number, value: HostValue) => void {
    if (target.kind === "variable") {
      const values = this.valuesOf(target);
      return (lane, value) => (values[lane] = value);
    }
    const load = target.kind === "load" ? target : target.of;
    if (load.kind !== "load") throw new Error("only an element of a buffer can be assigned to");
    const [index, memory] = [this.#value(load.index), this.#memoryOf(load.buffer)];
    const { element } = load.buffer;
    if (target.kind === "load")
      return (lane, value) => memory.write(element, index(lane) as number, value);
    const { position } = target;
    const at = typeof position === "number" ? () => position : this.#value(position);
    return (lane, value) =>
      memory.put(element, index(lane) as number, at(lane) as number, value as number);
  }
}
