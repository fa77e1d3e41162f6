// Values of a kernel as functions of a lane: each is made once for a kernel, and asked for by one lane after the other.

import type { Builtin, Memory, Uniform, Value, Variable } from "../kernel/kernel.ts";
import { hostFunctions } from "./functions.ts";
import type { HostMemory, HostValue } from "./memory.ts";
import { binaryOf, bitsOf, converted, floatOf, unaryOf, type Precision } from "./numbers.ts";

/** What values are read from: a workgroup that runs. */
export interface Frame {
  readonly precision: Precision;
  readonly memoryOf: (memory: Memory) => HostMemory;
  readonly uniforms: Readonly<Record<Uniform, number>>;
  readonly params: readonly number[];
  /** The place of the workgroup in the grid. */
  readonly group: { x: number; y: number; z: number };
  /** The values of a variable, by lane. */
  readonly variable: (variable: Variable) => HostValue[];
  /** Which lanes run, now; and how many a subgroup has. */
  readonly active: { lanes: readonly boolean[] };
  readonly subgroupSize: number;
}

export type Evaluate = (lane: number) => HostValue;

const parts = (value: HostValue): readonly number[] =>
  typeof value === "number" ? [value] : value;
const asValue = (values: readonly number[]): HostValue =>
  values.length === 1 ? values[0]! : values;

const builtin =
  (name: Builtin, { group }: Frame): Evaluate =>
  (lane) => {
    switch (name) {
      case "lane":
        return lane;
      case "group x":
        return group.x;
      case "group y":
        return group.y;
      case "group z":
        return group.z;
    }
  };

const map =
  (of: Evaluate, apply: (x: number) => number): Evaluate =>
  (lane) => {
    const value = of(lane);
    return typeof value === "number" ? apply(value) : value.map(apply);
  };

export function evaluator(value: Value, frame: Frame): Evaluate {
  const of = (inner: Value): Evaluate => evaluator(inner, frame);
  const { precision } = frame;
  switch (value.kind) {
    case "variable": {
      const values = frame.variable(value);
      return (lane) => values[lane]!;
    }
    case "literal": {
      const { value: own } = value;
      return () => own;
    }
    case "builtin":
      return builtin(value.name, frame);
    case "uniform":
      return () => frame.uniforms[value.name];
    case "param": {
      const { slot, type } = value;
      return () => (type === "f32" ? Math.fround(frame.params[slot]!) : frame.params[slot]!);
    }
    case "load": {
      const [index, memory] = [of(value.index), frame.memoryOf(value.buffer)];
      const { element } = value.buffer;
      return (lane) => memory.read(element, index(lane) as number);
    }
    case "component": {
      const vector = of(value.of);
      const { position } = value;
      const at = typeof position === "number" ? () => position : of(position);
      return (lane) => parts(vector(lane))[at(lane) as number]!;
    }
    case "half": {
      const [vector, size] = [of(value.of), value.lanes];
      const from = value.second ? size : 0;
      return (lane) => parts(vector(lane)).slice(from, from + size);
    }
    case "unary":
      return map(of(value.of), unaryOf(value.op, value.type, precision));
    case "binary":
      return both(of(value.left), of(value.right), binaryOf(value.op, value.left.type, precision));
    case "select":
      return selected(of(value.condition), of(value.whenTrue), of(value.whenFalse));
    case "convert":
      return map(of(value.of), converted(value.of.type, value.type, precision));
    case "bits":
      return precision === "exact"
        ? of(value.of)
        : map(of(value.of), value.type === "u32" ? bitsOf : floatOf);
    case "splat": {
      const [one, { lanes }] = [of(value.of), value];
      return (lane) => Array.from({ length: lanes }, () => one(lane) as number);
    }
    case "vector": {
      const all = value.parts.map(of);
      return (lane) => all.flatMap((part) => parts(part(lane)));
    }
    case "any": {
      const vector = of(value.of);
      return (lane) => Number(parts(vector(lane)).some((one) => one !== 0));
    }
    case "subgroup":
      return acrossLanes(of(value.of), value.op, frame);
    case "call": {
      const [call, args] = [hostFunctions[value.name], value.args.map(of)];
      const none: readonly number[] = [];
      return (lane) => {
        const [a = none, b = none, c = none, d = none] = args.map((arg) => parts(arg(lane)));
        return asValue(call(a, b, c, d));
      };
    }
  }
}

const both =
  (left: Evaluate, right: Evaluate, apply: (a: number, b: number) => number): Evaluate =>
  (lane) => {
    const [a, b] = [left(lane), right(lane)];
    if (typeof a === "number") return apply(a, b as number);
    return a.map((one, i) => apply(one, (b as readonly number[])[i]!));
  };

const selected =
  (condition: Evaluate, whenTrue: Evaluate, whenFalse: Evaluate): Evaluate =>
  (lane) => {
    const [which, a, b] = [condition(lane), whenTrue(lane), whenFalse(lane)];
    if (typeof which === "number") return which === 0 ? b : a;
    return which.map((one, i) => (one === 0 ? parts(b) : parts(a))[i]!);
  };

/** The largest value, or the sum, over the lanes of a subgroup that run. */
function acrossLanes(of: Evaluate, op: "max" | "add", frame: Frame): Evaluate {
  const { subgroupSize, active, precision } = frame;
  const round = precision === "single" ? Math.fround : (x: number): number => x;
  return (lane) => {
    const first = lane - (lane % subgroupSize);
    const values: number[] = [];
    for (let i = first; i < first + subgroupSize; i++)
      if (active.lanes[i] === true) values.push(of(i) as number);
    return op === "max" ? Math.max(...values) : values.reduce((sum, one) => round(sum + one), 0);
  };
}
