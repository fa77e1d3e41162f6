// From normal forms back to expressions: shifts become multiples of the maxima again, forms become core nodes
// where nothing better is known, and a form is read at the label without letting its parts cancel.

import { binary, constant, iota, select, unary, withArgs } from "../core/build.ts";
import { fail } from "../core/error.ts";
import { idsOf } from "../core/inputs.ts";
import type { Node } from "../core/node.ts";
import { isConstant, smart } from "../core/smart.ts";
import { fromLinearForm, linearForm } from "../rewrite/linear.ts";
import { logitsOfInput } from "./fields.ts";
import * as forms from "./form.ts";
import type { Form, RowValue, Term, Value } from "./form.ts";
import { tokenResponse, type Recorder } from "./record.ts";

const iotaVocab: Node = iota("vocab");
export const isEntryNumber = (node: Node): boolean => node === iotaVocab;
export const isLabel = (node: Node): boolean => node.tag === "input" && node.datum.kind === "ids";

/** Collects a sum, so that equal parts cancel as symbols. */
export const tidy = (node: Node): Node => fromLinearForm(linearForm(node));

/** coefficient · e^{exponent}. */
export function scaleOf(coefficient: Node, exponent: Node | null): Node {
  const collected = exponent === null ? constant(0) : tidy(exponent);
  return isConstant(collected, 0) ? coefficient : smart.times(coefficient, unary("exp", collected));
}

/** Σ shift·max z */
export function shiftTerms(record: Recorder, value: RowValue | Form, source: Node): Node {
  return [...value.shifts].reduce(
    (total, [z, amount]) =>
      smart.plus(total, smart.times(constant(amount), record.maximum(z, source))),
    constant(0),
  );
}

/** A value without a vocabulary axis as a node. */
export function rowNode(record: Recorder, value: Value, source: Node): Node {
  // an index or a condition has no shifts, and its zero is no real number
  if (value.kind === "row" && value.shifts.size === 0) return value.rest;
  if (value.kind === "row") return smart.plus(value.rest, shiftTerms(record, value, source));
  if (value.kind === "raw") return value.node;
  return fail(
    "vocabulary-left",
    "A value of a row still ranges over the vocabulary; this is a bug of prefc, so please report it with the objective.",
  );
}

/** Moves the shifts of a form into an ordinary term. */
export function settled(record: Recorder, value: Form, source: Node): Form {
  if (value.shifts.size === 0) return value;
  return forms.form(
    forms.collect([...value.terms, forms.rowTerm(shiftTerms(record, value, source))]),
  );
}

/** The form as a core node over logits, for what has no normal form. */
export function formNode(record: Recorder, value: Value, source: Node): Node {
  if (value.kind !== "form") return rowNode(record, value, source);
  return settled(record, value, source).terms.reduce((total: Node, term) => {
    const x = (z: Node): Node => binary("minus", z, record.maximum(z, source));
    const product = term.atoms.reduce(
      (factors, atom) => smart.times(factors, atomNode(record, atom, source)),
      powersNode(term, x),
    );
    return smart.plus(total, product);
  }, constant(0));
}

/** coefficient · e^{exponent + Σ d·x} · Π x^k with x given for each logits input. */
function powersNode(term: Term, x: (z: Node) => Node): Node {
  let product = term.coefficient;
  let exponent = term.exponent ?? constant(0);
  for (const [z, { d, k }] of term.powers) {
    exponent = smart.plus(exponent, smart.times(constant(d), x(z)));
    for (let i = 0; i < k; i++) product = smart.times(product, x(z));
  }
  return scaleOf(product, exponent);
}

function atomNode(record: Recorder, atom: forms.Atom, source: Node): Node {
  if (atom.kind === "opaque") return atom.node;
  if (atom.kind === "maximum")
    return unary("toReal", binary("ge", atom.of, record.maximum(atom.of, source)));
  return unary("toReal", binary("eq", iotaVocab, idsOf(tokenResponse(source))));
}

/** A term at the label, with x = z_y − max z. */
export function termAtLabel(record: Recorder, term: Term, source: Node): Node {
  return term.atoms.reduce(
    (product, atom) => {
      if (atom.kind === "label") return product;
      if (atom.kind === "opaque")
        return smart.times(product, nodeAtLabel(record, atom.node, source));
      const isTop = binary("ge", record.label(atom.of, source), constant(0));
      return smart.times(product, unary("toReal", isTop));
    },
    powersNode(term, (z) => record.label(z, source)),
  );
}

/**
 * A form at the label. Near probability 1 the one of the label and the exponential of the softmax cancel,
 * A + B e^ℓ with B = −A; written (A + B) + B·expm1(ℓ), the first part cancels as a symbol.
 */
export function valueAtLabel(record: Recorder, body: Form, source: Node): Node {
  const isExponential = (term: Term): boolean => {
    const powers = [...term.powers.values()];
    return (
      term.atoms.length === 0 && powers.every(({ k }) => k === 0) && powers.some(({ d }) => d !== 0)
    );
  };
  const exponentials = body.terms.filter(isExponential);
  const direct = body.terms
    .filter((term) => !isExponential(term))
    .map((term) => termAtLabel(record, term, source));
  const whole = tidy(
    [...direct, ...exponentials.map((term) => term.coefficient)].reduce(smart.plus, constant(0)),
  );
  return exponentials.reduce((sum, term) => {
    const exponent = [...term.powers].reduce(
      (line, [z, { d }]) => smart.plus(line, smart.times(constant(d), record.label(z, source))),
      term.exponent ?? constant(0),
    );
    return smart.plus(sum, smart.times(term.coefficient, unary("expm1", tidy(exponent))));
  }, whole);
}

/** An expression along the vocabulary, read at the label: each part once, without recursion, as terms may be deep. */
export function nodeAtLabel(record: Recorder, node: Node, source: Node): Node {
  const made = new Map<Node, Node>();
  const stack = [node];
  while (stack.length > 0) {
    const top = stack[stack.length - 1]!;
    const leaf = leafAtLabel(record, top, source);
    const waiting =
      leaf === null
        ? top.args.filter(
            (arg, position) => !made.has(arg) && !isComparedWithMaximum(record, top, position),
          )
        : [];
    if (waiting.length > 0) {
      stack.push(...waiting);
      continue;
    }
    stack.pop();
    if (made.has(top)) continue;
    const read = (arg: Node, position: number): Node =>
      isComparedWithMaximum(record, top, position)
        ? entryOfLabel(record, arg, source)
        : made.get(arg)!;
    made.set(top, leaf ?? withArgs(top, top.args.map(read)));
  }
  return made.get(node)!;
}

function leafAtLabel(record: Recorder, node: Node, source: Node): Node | null {
  if (!node.axes.includes("vocab")) return node;
  if (node.tag === "iota") return idsOf(tokenResponse(source));
  return logitsOfInput(node) === null
    ? null
    : binary("plus", record.label(node, source), record.maximum(node, source));
}

/** Whether an argument along the vocabulary is compared with its own maximum, which a later pass finds in single floats. */
const isComparedWithMaximum = (record: Recorder, node: Node, position: number): boolean => {
  const [arg, other] = [node.args[position]!, node.args[1 - position]];
  return node.dtype === "bool" && other !== undefined && record.isMaximumOf(other, arg);
};

/**
 * Σ_v [v = y] of an expression: its entry at the label with the digits of a pass. A row program would know more of them, and
 * the maximum would not equal itself.
 */
const entryOfLabel = (record: Recorder, node: Node, source: Node): Node => {
  const isHere = binary("eq", iotaVocab, idsOf(tokenResponse(source)));
  return record.total("sum", select(isHere, node, constant(0)), source);
};
