// Reads an expression along the vocabulary into its normal form, one node at a time. Each case is a law of the
// algebra of forms (sums, products, exponentials of lines, indicators); what none covers becomes opaque.

import { kindOf } from "../core/axis.ts";
import { binary, constant, select, unary, withArgs } from "../core/build.ts";
import { fail } from "../core/error.ts";
import { cite } from "../core/quote.ts";
import { topological, type Binary, type Node, type Unary } from "../core/node.ts";
import { isConstant, smart } from "../core/smart.ts";
import * as forms from "./form.ts";
import type { Form, RowValue, Value } from "./form.ts";
import type { Recorder } from "./record.ts";
import { linear } from "./reduce.ts";
import { formNode, isEntryNumber, isLabel, rowNode, settled, shiftTerms, tidy } from "./settle.ts";

type Real = RowValue | Form;
const isReal = (value: Value | undefined): value is Real =>
  value !== undefined && value.kind !== "raw";

/** The value of a node along the vocabulary, given the values of its arguments. */
export function vocabularyValue(record: Recorder, node: Node, args: readonly Value[]): Value {
  const value = lawOf(record, node, args);
  const isHeld = value !== null && (value.kind === "raw" || forms.areHeld(value.shifts));
  return isHeld ? value : opaqueValue(record, node, args);
}

function lawOf(record: Recorder, node: Node, args: readonly Value[]): Value | null {
  const [a, b, c] = args;
  switch (node.tag) {
    case "input":
      return forms.logitsForm(node);
    case "iota":
      return { kind: "raw", node };
    case "select":
      return a !== undefined && isReal(b) && isReal(c)
        ? choice(record, node, a, forms.lift(b), forms.lift(c))
        : null;
    case "unary":
      if (node.op === "toReal") return a === undefined ? null : indicator(a);
      return isReal(a) && node.args[0].dtype === "f32"
        ? unaryLaw(record, node, forms.lift(a))
        : null;
    case "binary":
      if (node.op === "eq") return a === undefined || b === undefined ? null : equality(node, a, b);
      return isReal(a) && isReal(b) && node.dtype === "f32" ? binaryLaw(record, node, a, b) : null;
    case "const":
    case "param":
    case "count":
    case "sort":
    case "stop":
      return null;
    case "reduce":
      return fail(
        "vocabulary-across-rows",
        `${node.op}(${cite(kindOf(node.axis))}, …): kernels read one row of logits at a time, so an expression over the vocabulary cannot be added up or compared along other axes; reduce "vocab" first.`,
      );
    case "at":
      return fail(
        "unsupported-index",
        `at(…, ${cite(kindOf(node.axis))}, index): kernels read one row of logits at a time, so an expression over the vocabulary cannot be looked up at another place; reduce "vocab" first.`,
      );
  }
}

/**
 * Whether a form is a polynomial of a degree above 1. About the maximum m, z² is x² + 2mx + m²: beside a large m that cancels,
 * which a sum over the entries bears and a function of one entry does not.
 */
const isCurved = (value: Value): boolean =>
  value.kind === "form" &&
  value.terms.some(
    ({ powers }) => [...powers.values()].reduce((degree, { k }) => degree + k, 0) > 1,
  );

const alone = new WeakMap<Node, boolean>();

/** Whether an expression along the vocabulary holds nothing that another pass finds, so that it stands as it is written. */
function readsEntriesAlone(root: Node): boolean {
  for (const node of topological([root])) {
    if (alone.has(node)) continue;
    const isFound =
      (node.tag === "reduce" || node.tag === "at") && node.args[0].axes.includes("vocab");
    alone.set(node, !isFound && node.tag !== "sort" && node.args.every((arg) => alone.get(arg)!));
  }
  return alone.get(root)!;
}

/** Whatever has no normal form, as a core node over logits and row values. */
function opaqueValue(record: Recorder, node: Node, args: readonly Value[]): Value {
  const rebuilt = withArgs(
    node,
    args.map((arg, position) => {
      const written = node.args[position]!;
      const built =
        isCurved(arg) && readsEntriesAlone(written) ? written : formNode(record, arg, node);
      // an indicator stands for a comparison
      const wasBool = node.args[position]!.dtype === "bool" && built.dtype !== "bool";
      return wasBool ? binary("gt", built, constant(0.5)) : built;
    }),
  );
  return rebuilt.dtype === "f32" ? forms.opaque(rebuilt) : { kind: "raw", node: rebuilt };
}

function unaryLaw(record: Recorder, node: Unary, body: Form): Form | null {
  if (node.op === "neg") return scaled(body, constant(-1), -1);
  if (node.op === "exp") return exponential(record, body, node);
  if (node.op !== "square") return null;
  const whole = settled(record, body, node);
  return forms.multiplyForms(whole, whole);
}

function binaryLaw(record: Recorder, node: Binary, a: Real, b: Real): Form | null {
  const [left, right] = [forms.lift(a), forms.lift(b)];
  if (node.op === "plus") return forms.addForms(left, right, 1);
  if (node.op === "minus") return forms.addForms(left, right, -1);
  if (node.op === "times") {
    const byLeft = plainNumber(a);
    if (byLeft !== null) return scaled(right, constant(byLeft), byLeft);
    const byRight = plainNumber(b);
    if (byRight !== null) return scaled(left, constant(byRight), byRight);
    return forms.multiplyForms(settled(record, left, node), settled(record, right, node));
  }
  if (node.op !== "over" || b.kind !== "row") return null;
  const divisor = rowNode(record, b, node);
  const { terms } = settled(record, left, node);
  return forms.form(
    terms.map((term) => ({ ...term, coefficient: binary("over", term.coefficient, divisor) })),
  );
}

const scaled = (body: Form, factor: Node, amount: number): Form =>
  forms.form(forms.scaleTerms(body.terms, factor), forms.scaleShifts(body.shifts, amount));

const plainNumber = (value: Real): number | null =>
  value.kind === "row" && value.shifts.size === 0 && value.rest.tag === "const"
    ? value.rest.value
    : null;

function choice(
  record: Recorder,
  node: Node,
  condition: Value,
  whenTrue: Form,
  whenFalse: Form,
): Form | null {
  if (condition.kind === "raw") return null;
  if (condition.kind === "row") return branch(record, condition.rest, whenTrue, whenFalse, node);
  const difference = settled(record, forms.addForms(whenTrue, whenFalse, -1), node);
  const chosen = forms.multiplyForms(condition, difference);
  return chosen === null ? null : forms.addForms(whenFalse, chosen, 1);
}

/** A choice that is the same for the whole row chooses each coefficient. */
function branch(
  record: Recorder,
  condition: Node,
  whenTrue: Form,
  whenFalse: Form,
  source: Node,
): Form {
  const zero = constant(0);
  const first = settled(record, whenTrue, source).terms.map((term) => ({
    ...term,
    coefficient: select(condition, term.coefficient, zero),
  }));
  const second = settled(record, whenFalse, source).terms.map((term) => ({
    ...term,
    coefficient: select(condition, zero, term.coefficient),
  }));
  return forms.form(forms.collect([...first, ...second]));
}

/**
 * e^{line} is a single term: multiples of x become powers, the rest stays an exponent. A line that falls in some logit is
 * left whole: x ≤ 0, so e^{−x} alone may leave the range of f32 where the exponential of the line does not.
 */
function exponential(record: Recorder, body: Form, source: Node): Form | null {
  const line = linear(body);
  if (line === null || [...line.d.values()].some((d) => d < 0)) return null;
  const exponent = tidy(smart.plus(line.row, shiftTerms(record, body, source)));
  const powers = new Map([...line.d].map(([z, d]) => [z, { d, k: 0 }]));
  const known = isConstant(exponent, 0) ? null : exponent;
  return forms.form([{ coefficient: constant(1), exponent: known, powers, atoms: [] }]);
}

/** [v = y] and [z = max z] have indicator atoms; any other comparison has no normal form. */
function equality(node: Binary, a: Value, b: Value): Form | null {
  const [left, right] = node.args;
  if ((isEntryNumber(left) && isLabel(right)) || (isEntryNumber(right) && isLabel(left))) {
    return forms.form([forms.atomTerm({ kind: "label" })]);
  }
  if (a.kind === "raw" || b.kind === "raw") return null;
  const difference = forms.addForms(forms.lift(a), forms.lift(b), -1);
  const line = linear(difference);
  if (line === null || line.d.size !== 1 || difference.shifts.size > 0) return null;
  if (!isConstant(tidy(line.row), 0)) return null;
  return forms.form([forms.atomTerm({ kind: "maximum", of: [...line.d.keys()][0]! })]);
}

/** A comparison as a form with the values 0 and 1, or null when it has none. */
function indicator(value: Value): Form | null {
  if (value.kind === "form") return value;
  return value.kind === "raw" ? null : forms.form([forms.rowTerm(unary("toReal", value.rest))]);
}
