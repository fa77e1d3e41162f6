// Reads the printed form back (print.ts). Every node goes through the constructors of build.ts, so a parsed term is
// interned and well formed like any other, and what the text says about types is checked against what the term is.
// Empty lines and lines that begin with `//` are skipped, so that tests can be written as annotated text.

import type { Axis } from "./axis.ts";
import {
  at,
  binary,
  constant,
  count,
  input,
  iota,
  param,
  reduce,
  select,
  sort,
  state,
  stop,
  unary,
} from "./build.ts";
import { PrefcError } from "./error.ts";
import { boundNames } from "./range.ts";
import type { DType, Node } from "./node.ts";
import {
  binaryOps,
  reduceOps,
  sortOps,
  unaryOps,
  type BinaryOp,
  type ReduceOp,
  type SortOp,
  type UnaryOp,
} from "./ops.ts";
import {
  accept,
  axis,
  bracketed,
  expected,
  name,
  number,
  demand,
  skipSpace,
  string,
  take,
  wordShape,
  type Cursor,
} from "./scan.ts";
import { spellAxis } from "./spell.ts";

type Defined = Map<number, Node>;

const isOp = <Op extends string>(table: Readonly<Record<Op, unknown>>, name: string): name is Op =>
  Object.hasOwn(table, name);

const referenceShape = /%\d+/y;

function reference(cursor: Cursor, defined: Defined): Node {
  skipSpace(cursor);
  const start = cursor.column;
  const text = take(cursor, referenceShape) ?? expected(cursor, `a value such as "%0"`);
  return (
    defined.get(Number(text.slice(1))) ??
    expected(cursor, "a value that an earlier line defines", start)
  );
}

interface Type {
  readonly dtype: DType;
  readonly axes: readonly Axis[];
}

function type(cursor: Cursor): Type {
  skipSpace(cursor);
  const start = cursor.column;
  const dtype = take(cursor, wordShape);
  if (dtype !== "f32" && dtype !== "i32" && dtype !== "bool")
    return expected(cursor, `a type ("f32", "i32" or "bool")`, start);
  const axes: Axis[] = [];
  if (accept(cursor, "[")) {
    do axes.push(axis(cursor));
    while (accept(cursor, ","));
    demand(cursor, "]");
  }
  return { dtype, axes };
}

/** What stands to the right of `=` in a binding. */
function definition(cursor: Cursor, defined: Defined, { dtype, axes }: Type): Node {
  const arg = (): Node => reference(cursor, defined);
  const next = (): Node => {
    demand(cursor, ",");
    return arg();
  };
  skipSpace(cursor);
  const start = cursor.column;
  const op = take(cursor, wordShape) ?? expected(cursor, "an operation");
  if (isOp<UnaryOp>(unaryOps, op)) return unary(op, arg());
  if (isOp<BinaryOp>(binaryOps, op)) return binary(op, arg(), next());
  if (isOp<ReduceOp>(reduceOps, op)) return reduce(op, bracketed(cursor), arg());
  if (isOp<SortOp>(sortOps, op)) return sort(op, bracketed(cursor), arg());
  switch (op) {
    case "const":
      return constant(number(cursor), dtype);
    case "param": {
      const label = string(cursor, "the quoted name of a parameter");
      const initial = accept(cursor, "=") ? number(cursor) : undefined;
      const bounds = boundNames.flatMap((bound) =>
        accept(cursor, `${bound} `) ? [[bound, number(cursor)] as const] : [],
      );
      return param(label, initial, Object.fromEntries(bounds), accept(cursor, "learned"));
    }
    case "state": {
      const label = string(cursor, "the quoted name of a state");
      demand(cursor, "=");
      return state(label, number(cursor));
    }
    case "input":
      return input(
        string(cursor, "the quoted name of an input"),
        axes,
        dtype,
        accept(cursor, "learned"),
      );
    case "iota":
      return iota(bracketed(cursor));
    case "count":
      return count(bracketed(cursor));
    case "select":
      return select(arg(), next(), next());
    case "at": {
      const bound = bracketed(cursor);
      return at(arg(), bound, next());
    }
    case "stop":
      return stop(arg());
    default:
      return expected(cursor, `an operation (such as "plus", "sum" or "input")`, start);
  }
}

function end(cursor: Cursor): void {
  skipSpace(cursor);
  if (cursor.column < cursor.text.length) expected(cursor, "the end of the line");
}

function binding(cursor: Cursor, defined: Defined): void {
  const number =
    take(cursor, referenceShape) ?? expected(cursor, `a binding ("%0: …") or "return"`);
  const position = Number(number.slice(1));
  if (defined.has(position))
    expected(cursor, "a number that no earlier line defines", cursor.column - number.length);
  demand(cursor, ":");
  skipSpace(cursor);
  const typeColumn = cursor.column;
  const declared = type(cursor);
  demand(cursor, "=");
  const node = definition(cursor, defined, declared);
  end(cursor);
  if (node.dtype !== declared.dtype || node.axes.join() !== declared.axes.join()) {
    const axes = node.axes.length === 0 ? "" : `[${node.axes.map(spellAxis).join(", ")}]`;
    expected(cursor, `the type ${node.dtype}${axes}, which the operation gives`, typeColumn);
  }
  defined.set(position, node);
}

/**
 * Rebuilds the named roots from their printed form.
 * @throws PrefcError "parse-error" with line, column and what was expected there.
 */
export function parse(text: string): Readonly<Record<string, Node>> {
  const defined: Defined = new Map();
  const roots = new Map<string, Node>();
  for (const [index, content] of text.split("\n").entries()) {
    const cursor: Cursor = { text: content.trimEnd(), line: index + 1, column: 0 };
    skipSpace(cursor);
    if (cursor.column === cursor.text.length || cursor.text.startsWith("//", cursor.column))
      continue;
    try {
      if (!accept(cursor, "return ")) {
        binding(cursor, defined);
        continue;
      }
      const start = cursor.column;
      const label = name(cursor, "the name of a root, a word or a quoted string");
      if (roots.has(label)) expected(cursor, "a root that no earlier line returns", start);
      demand(cursor, "=");
      const node = reference(cursor, defined);
      end(cursor);
      roots.set(label, node);
    } catch (error) {
      if (!(error instanceof PrefcError) || error.code === "parse-error") throw error;
      const sentence = `line ${cursor.line}, column ${cursor.column + 1}: expected a well-formed operation, but ${error.message}`;
      throw new PrefcError("parse-error", sentence, { cause: error });
    }
  }
  return Object.fromEntries(roots);
}
