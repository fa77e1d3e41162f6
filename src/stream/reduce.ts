// Reductions along the vocabulary. A sum of terms of the class is a sum of moments of the running pass, a
// maximum or log-sum-exp of a line d·z is known from its maximum and one moment; anything else becomes a total.

import { binary, constant, count, unary } from "../core/build.ts";
import type { Node } from "../core/node.ts";
import type { ReduceOp } from "../core/ops.ts";
import { isConstant, smart } from "../core/smart.ts";
import { linearForm } from "../rewrite/linear.ts";
import * as forms from "./form.ts";
import type { Form, RowValue, Term } from "./form.ts";
import { logitsOrFail, type Recorder } from "./record.ts";
import { formNode, scaleOf, settled, termAtLabel, tidy } from "./settle.ts";

/** Reduces a form along the vocabulary. */
export function reduceVocabulary(
  record: Recorder,
  op: ReduceOp,
  body: Form,
  source: Node,
): RowValue {
  if (op === "sum") return forms.rowValue(sumForm(record, settled(record, body, source), source));
  const line = linear(body);
  // what depended on the entry has cancelled
  if (line?.d.size === 0) return forms.rowValue(reduceRepeated(op, line.row), body.shifts);
  const slope = line === null || line.d.size !== 1 ? undefined : [...line.d][0];
  if (line !== null && slope !== undefined && slope[1] > 0) {
    const [z, d] = slope;
    record.maximum(z, source);
    if (op === "max") return forms.rowValue(line.row, body.shifts);
    const { model, response } = logitsOrFail(z);
    const excess = record.field({ kind: "excess", model, d }, response, source);
    return forms.rowValue(smart.plus(line.row, unary("log1p", excess)), body.shifts);
  }
  const node = formNode(record, body, source);
  const largest = record.total("max", node, source);
  if (op === "max") return forms.rowValue(largest);
  const shifted = unary("exp", binary("minus", node, largest));
  return forms.rowValue(
    binary("plus", largest, unary("log", record.total("sum", shifted, source))),
  );
}

/** A reduction along the vocabulary of a value that is the same at every entry. */
export function reduceRepeated(op: ReduceOp, value: Node): Node {
  if (op === "sum") return binary("times", count("vocab"), value);
  return op === "max" ? value : binary("plus", value, unary("log", count("vocab")));
}

function sumForm(record: Recorder, body: Form, source: Node): Node {
  let sum = constant(0);
  const outside: Term[] = [];
  for (const term of body.terms) {
    const known = sumTerm(record, term, source);
    if (known === null) outside.push(term);
    else sum = smart.plus(sum, known);
  }
  if (outside.length === 0) return sum;
  return smart.plus(
    sum,
    record.total("sum", formNode(record, forms.form(outside), source), source),
  );
}

/** Σ_v of one term, or null when it is outside the class. */
function sumTerm(record: Recorder, term: Term, source: Node): Node | null {
  const scale = scaleOf(term.coefficient, term.exponent);
  const [atom, ...others] = term.atoms;
  if (atom === undefined) {
    const sum = moment(record, term, source);
    return sum === null ? null : scaledSum(term, sum);
  }
  if (others.length > 0 || atom.kind === "opaque") return null;
  if (atom.kind === "label") return termAtLabel(record, term, source);
  if ([...term.powers.keys()].some((z) => z !== atom.of)) return null;
  // at the maximum x = 0, so a power of x vanishes and an exponential is 1
  if ([...term.powers.values()].some(({ k }) => k > 0)) return constant(0);
  const { model, response } = logitsOrFail(atom.of);
  return smart.times(scale, record.field({ kind: "ties", model }, response, source));
}

/** coefficient · e^{exponent} · sum. Where the exponent is −log of that sum, the two cancel as symbols, to exactly 1. */
function scaledSum({ coefficient, exponent }: Term, sum: Node): Node {
  const scale = scaleOf(coefficient, exponent);
  const excess =
    sum.tag === "binary" && sum.op === "plus" && isConstant(sum.args[0], 1) ? sum.args[1] : null;
  if (excess === null || exponent === null) return smart.times(scale, sum);
  const left = tidy(smart.plus(exponent, unary("log1p", excess)));
  return isConstant(left, 0) ? coefficient : smart.times(scale, sum);
}

function moment(record: Recorder, term: Term, source: Node): Node | null {
  const powers = [...term.powers].filter(([, { d, k }]) => d !== 0 || k !== 0);
  if (powers.length === 0) return count("vocab");
  // without an exponential there is nothing to shift: Σ_v x^k is left to a later pass
  if (powers.some(([, { d }]) => d < 0) || powers.every(([, { d }]) => d === 0)) return null;
  const { response } = logitsOrFail(powers[0]![0]);
  for (const [z] of powers) record.maximum(z, source);
  const named = powers.map(([z, { d, k }]) => ({ model: logitsOrFail(z).model, d, k }));
  const [only, ...more] = named;
  if (more.length === 0 && only!.k === 0) {
    const excess = record.field(
      { kind: "excess", model: only!.model, d: only!.d },
      response,
      source,
    );
    return binary("plus", constant(1), excess);
  }
  const powersInOrder = named.toSorted((a, b) => (a.model < b.model ? -1 : 1));
  return record.field({ kind: "moment", powers: powersInOrder }, response, source);
}

/** A form as Σ d·x + row with constant slopes, or null when it is not such a line. */
export interface Line {
  readonly d: ReadonlyMap<Node, number>;
  readonly row: Node;
}
export function linear(body: Form): Line | null {
  const d = new Map<Node, number>();
  let row = constant(0);
  for (const term of body.terms) {
    if (term.atoms.length > 0) return null;
    const powers = [...term.powers].filter(([, power]) => power.d !== 0 || power.k !== 0);
    const [first, second] = powers;
    if (first === undefined) {
      row = smart.plus(row, scaleOf(term.coefficient, term.exponent));
      continue;
    }
    const slope = linearForm(term.coefficient);
    const simple =
      second === undefined && first[1].d === 0 && first[1].k === 1 && term.exponent === null;
    if (!simple || slope.terms.size > 0) return null;
    d.set(first[0], (d.get(first[0]) ?? 0) + slope.constant);
  }
  for (const [z, amount] of d) if (amount === 0) d.delete(z);
  return { d, row };
}
