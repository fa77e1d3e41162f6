// Where a row program finds its values: parameters, fields of earlier passes, data of tokens and examples,
// extents, and what earlier stages stored. The loops of rows.ts define `example` and `token`.

import { isTokenAxis, responseOf } from "../core/axis.ts";
import type { Node } from "../core/node.ts";
import { pairs, rounded, widened } from "./arithmetic.ts";
import * as buffers from "./buffer.ts";
import * as k from "./kernel.ts";
import type { Statement, Value } from "./kernel.ts";
import { isLeafTag, spaceOf, type Analysis, type RowProgram } from "./program.ts";
import { scope, type Scope } from "./scalar.ts";

export const examples: Value = k.uniform("examples");
export const example: k.Variable = k.variable("example", "u32");
export const token: k.Variable = k.variable("token", "u32");

export interface Leaves {
  /** A scope for values used in a stage: what earlier stages stored is loaded, the rest computed. */
  open(stage: number): Scope;
  /** Stores a value of this example; `position` is another example to store it at. */
  storeExample(slot: number, v: Value, position?: Value): Statement;
  /** A value per example where it is stored, at any example. */
  load(node: Node, position: Value): Value;
  storeToken(field: number, v: Value): Statement;
  /** First token of this example's response, or the end of its tokens. */
  firstToken(response: string): Value;
  endToken(response: string): Value;
  /** All tokens of a response. */
  tokensOf(response: string): { readonly from: Value; readonly below: Value };
  /** The example of this token. */
  owner(): Value;
}

export function leaves(program: RowProgram, analysis: Analysis): Leaves {
  const names = { next: 0 };
  const stride = k.plus(examples, k.u32(1));
  const atExample = (slot: number, position: Value = example): Value =>
    k.plus(k.times(k.u32(slot), examples), position);
  const atToken = (field: number): Value =>
    k.plus(k.times(k.u32(field), k.uniform("tokens")), token);
  const offset = (response: string, position: Value): Value => {
    const start = k.times(k.u32(program.responseIndex(response)), stride);
    return k.load(buffers.ragged, k.plus(start, position));
  };
  const firstToken = (response: string): Value => offset(response, example);
  const endToken = (response: string): Value => offset(response, k.plus(example, k.u32(1)));
  const real = (v: Value): Value => widened(k.convert("f32", v));
  const index = (v: Value): Value => k.convert("i32", v);

  // buffers hold reals; small whole numbers and truth values fit into them exactly
  const stored = (v: Value): Value =>
    v.type === "pair" ? v : v.type === "f32" ? widened(v) : real(v);
  const restored = (node: Node, v: Value): Value => {
    if (node.dtype === "bool") return k.infix(rounded(v), "!=", k.f32(0));
    return node.dtype === "i32" ? index(rounded(v)) : v;
  };
  const load = (node: Node, position: Value): Value => {
    const slot = node.tag === "input" ? program.exampleSlot(node) : analysis.slotOf(node);
    return restored(node, k.load(buffers.examples, atExample(slot, position)));
  };

  const input = (node: Node): Value => {
    if (spaceOf(node) !== "token") {
      return k.load(buffers.examples, atExample(program.exampleSlot(node)));
    }
    if (node.dtype === "i32") return index(k.load(buffers.labels, token));
    return widened(k.load(buffers.rows, atToken(program.rowField(node))));
  };
  const given = (node: Node): Value | null => {
    switch (node.tag) {
      case "param":
        return k.param(program.paramSlot(node), "pair");
      case "input":
        return input(node);
      case "iota":
        if (node.axis === "batch") return index(example);
        return isTokenAxis(node.axis)
          ? index(k.minus(token, firstToken(responseOf(node.axis))))
          : null;
      case "count":
        if (node.axis === "batch") return real(examples);
        if (node.axis === "vocab") return real(k.uniform("vocab"));
        return real(k.minus(endToken(responseOf(node.axis)), firstToken(responseOf(node.axis))));
      case "const":
      case "unary":
      case "binary":
      case "select":
      case "stop":
      case "at":
      case "sort":
      case "reduce":
        return null;
    }
  };
  const leaf =
    (stage: number) =>
    (node: Node): Value | null => {
      if (isLeafTag(node)) return given(node);
      const isKept = analysis.stored.has(node) && analysis.stageOf(node) < stage;
      if (!isKept) return null;
      return spaceOf(node) === "example"
        ? load(node, example)
        : k.load(buffers.scalars, k.u32(analysis.slotOf(node)));
    };
  const elsewhere = (body: Node, position: Value): Value => load(body, k.convert("u32", position));

  return {
    open: (stage) => scope(leaf(stage), names, pairs, elsewhere),
    storeExample: (slot, v, position) =>
      k.assign(k.load(buffers.examples, atExample(slot, position)), stored(v)),
    load,
    storeToken: (field, v) => k.assign(k.load(buffers.rows, atToken(field)), rounded(v)),
    firstToken,
    endToken,
    tokensOf: (response) => ({
      from: offset(response, k.u32(0)),
      below: offset(response, examples),
    }),
    owner: () => k.load(buffers.ragged, k.plus(k.times(k.u32(program.responses), stride), token)),
  };
}
