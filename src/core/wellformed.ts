// What makes one node well formed, worked out from the rules of the calculus and not from the constructors in build.ts, so
// that a mistake in one of the two is noticed. Each check answers with what is wrong, for verify.ts to report.

import { compareAxes, differingAxes, extentAxes, isAxis, kindOf, type Axis } from "./axis.ts";
import type { At, DType, Node, Reduce } from "./node.ts";
import { binaryOps, reduceOps, sortOps, unaryOps } from "./ops.ts";
import { spellAxis } from "./spell.ts";

const arity: Readonly<Record<Node["tag"], number>> = {
  const: 0,
  param: 0,
  input: 0,
  iota: 0,
  count: 0,
  unary: 1,
  binary: 2,
  select: 3,
  reduce: 1,
  at: 2,
  sort: 1,
  stop: 1,
};
const dtypes: ReadonlySet<string> = new Set<DType>(["f32", "i32", "bool"]);

const spellAxes = (axes: readonly Axis[]): string => `[${axes.map(spellAxis).join(", ")}]`;

/** What is wrong with the list of axes of a node; undefined when nothing is. */
function badAxes(axes: readonly Axis[]): string | undefined {
  if (!axes.every((axis) => isAxis(axis))) return `its axes ${axes.join(", ")} are not all axes`;
  const previous = (position: number): Axis => axes[position - 1]!;
  if (axes.some((axis, position) => position > 0 && compareAxes(previous(position), axis) >= 0)) {
    return `its axes ${spellAxes(axes)} are not in canonical order`;
  }
  const [differing] = differingAxes(axes) ?? [];
  if (differing !== undefined)
    return `its axes ${spellAxes(axes)} hold two ${kindOf(differing)} axes`;
  for (const axis of axes) {
    const missing = extentAxes(axis).find((needed) => !axes.includes(needed));
    if (missing !== undefined)
      return `its axes ${spellAxes(axes)} hold a ragged ${kindOf(axis)} axis without ${spellAxis(missing)}`;
  }
  return undefined;
}

/** The axes that a node must have, given those of its arguments; undefined for inputs, which choose theirs. */
function dueAxes(node: Node): readonly Axis[] | undefined {
  const due = new Set<Axis>();
  const include = (axes: readonly Axis[]): void => axes.forEach((axis) => due.add(axis));
  switch (node.tag) {
    case "input":
      return undefined;
    case "const":
    case "param":
      break;
    case "iota":
      include([node.axis, ...extentAxes(node.axis)]);
      break;
    case "count":
      include(extentAxes(node.axis));
      break;
    case "unary":
    case "binary":
    case "select":
    case "stop":
      node.args.forEach((arg) => include(arg.axes));
      break;
    case "reduce":
      include(node.args[0].axes.filter((axis) => axis !== node.axis));
      include(extentAxes(node.axis));
      break;
    case "sort":
      include([...node.args[0].axes, node.axis]);
      break;
    case "at": {
      const [body, index] = node.args;
      include(body.axes.filter((axis) => axis !== node.axis));
      include(index.axes);
      // what stays ragged keeps the axis that its extent depends on
      include([...due].flatMap(extentAxes));
    }
  }
  return [...due].toSorted(compareAxes);
}

const takes = (allowed: readonly DType[], args: readonly Node[]): boolean =>
  args.every((arg) => allowed.includes(arg.dtype) && arg.dtype === args[0]!.dtype);

/** The type that a node must have; undefined when its operands do not fit its operator. */
function dueType(node: Node): DType | undefined {
  switch (node.tag) {
    case "const":
    case "input":
      return node.dtype;
    case "param":
    case "count":
      return "f32";
    case "iota":
      return "i32";
    case "unary": {
      const row = unaryOps[node.op];
      return takes(row.from, node.args) ? row.to : undefined;
    }
    case "binary": {
      const row = binaryOps[node.op];
      return takes(row.from, node.args) ? (row.to ?? node.args[0].dtype) : undefined;
    }
    case "select": {
      const [condition, whenTrue, whenFalse] = node.args;
      return condition.dtype === "bool" && whenTrue.dtype === whenFalse.dtype
        ? whenTrue.dtype
        : undefined;
    }
    case "reduce":
      return takes(["f32"], node.args) ? "f32" : undefined;
    case "sort":
      return takes(["f32"], node.args) ? "i32" : undefined;
    case "at":
      return node.args[1].dtype === "i32" ? node.args[0].dtype : undefined;
    case "stop":
      return node.args[0].dtype;
  }
}

/** What is wrong with binding an axis on which the extent of another one depends. */
function stillRagged(verb: string, { axis, args: [operand] }: Reduce | At): string | undefined {
  const needing = operand.axes.findLast((other) => extentAxes(other).includes(axis));
  return needing === undefined
    ? undefined
    : `it ${verb} the ${kindOf(axis)} of an operand that still ranges over ${kindOf(needing)}s`;
}

/** What is wrong with the attributes that only this kind of node has. */
function badAttributes(node: Node): string | undefined {
  switch (node.tag) {
    case "const":
      if (!Number.isFinite(node.value)) return `its value ${node.value} is not finite`;
      if (node.dtype === "bool" && node.value !== 0 && node.value !== 1)
        return `its value ${node.value} is not a bool`;
      return node.dtype === "i32" && !Number.isInteger(node.value)
        ? `its value ${node.value} is not an i32`
        : undefined;
    case "param":
      if (typeof node.name !== "string") return "it has no name";
      if (node.kind !== "param" && node.kind !== "state")
        return `there is no run-time scalar of kind "${String(node.kind)}"`;
      if (node.kind === "state" && node.initial === undefined) return "it has no initial value";
      if (node.kind === "state" && node.learned) return "it is a state, and learned";
      return node.initial === undefined || Number.isFinite(node.initial)
        ? undefined
        : `its default ${node.initial} is not finite`;
    case "input":
      if (typeof node.name !== "string") return "it has no name";
      return node.learned && node.dtype !== "f32" ? "it is learned, and no real number" : undefined;
    case "unary":
      return Object.hasOwn(unaryOps, node.op)
        ? undefined
        : `there is no unary operator "${node.op}"`;
    case "binary":
      return Object.hasOwn(binaryOps, node.op)
        ? undefined
        : `there is no binary operator "${node.op}"`;
    case "reduce":
      if (!Object.hasOwn(reduceOps, node.op)) return `there is no reduction "${node.op}"`;
      if (!isAxis(node.axis)) return `"${node.axis}" is not an axis`;
      return stillRagged("reduces", node);
    case "sort":
      if (!Object.hasOwn(sortOps, node.op)) return `there is no sorting "${node.op}"`;
      // the type allows nothing else, but a damaged node may hold anything
      if ((node.axis as Axis) !== "batch") return "it sorts along another axis than the batch";
      return node.args[0].axes.some((axis) => axis !== "batch")
        ? "it sorts more than one number per example"
        : undefined;
    case "at":
      if (!isAxis(node.axis)) return `"${node.axis}" is not an axis`;
      return stillRagged("picks from", node);
    case "iota":
    case "count":
      return isAxis(node.axis) ? undefined : `"${node.axis}" is not an axis`;
    case "select":
    case "stop":
      return undefined;
  }
}

/** What is wrong with how a node hangs together, before its arguments are looked at; undefined when nothing is. */
export function structuralComplaint(node: Node): string | undefined {
  if (!Object.hasOwn(arity, node.tag)) return `there is no kind of node "${node.tag}"`;
  if (node.args.length !== arity[node.tag]) {
    return `it has ${node.args.length} arguments instead of ${arity[node.tag]}`;
  }
  if (!Object.isFrozen(node)) return "it is not frozen, so it was not made by a constructor";
  if (!Number.isInteger(node.id) || node.id < 0) return `its id ${node.id} is not a position`;
  const late = node.args.find((arg) => !(arg.id < node.id));
  return late === undefined
    ? undefined
    : `its argument has the id ${late.id}, which is not below its own ${node.id}`;
}

/** What is wrong with the meaning of a node, its arguments being well formed; undefined when nothing is. */
export function semanticComplaint(node: Node): string | undefined {
  if (!dtypes.has(node.dtype)) return `"${node.dtype}" is not a type`;
  const bad = badAttributes(node) ?? badAxes(node.axes);
  if (bad !== undefined) return bad;
  const type = dueType(node);
  if (type === undefined) {
    return `its operands are ${node.args.map((arg) => arg.dtype).join(", ")}, which it does not take`;
  }
  if (type !== node.dtype) return `it says it is ${node.dtype}, but it gives ${type}`;
  const axes = dueAxes(node);
  if (axes === undefined || axes.join() === node.axes.join()) return undefined;
  return `it says its axes are ${spellAxes(node.axes)}, but they are ${spellAxes(axes)}`;
}
