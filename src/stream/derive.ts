// Derives the passes over the vocabulary from the algebra. Every expression is read once, bottom-up: along
// the vocabulary it becomes a normal form (form.ts); a reduction of a normal form becomes fields of a single
// running pass; what has no normal form becomes a total, a later pass of its own. Nothing here knows a loss.

import { binary, constant, count, iota, select, unary, withArgs } from "../core/build.ts";
import { fail } from "../core/error.ts";
import { idsOf as idsNode } from "../core/inputs.ts";
import { topological, type Node } from "../core/node.ts";
import { responseOf, isTokenAxis } from "../core/axis.ts";
import { fromLinearForm, linearForm } from "../rewrite/linear.ts";
import { fieldInput, logitsOfInput, type FieldSpec } from "./fields.ts";
import * as forms from "./form.ts";
import type { Form, RowValue, Term, Value } from "./form.ts";
import { skeletonOf, type Skeleton } from "./skeleton.ts";

export interface FieldUse {
  readonly spec: FieldSpec;
  readonly response: string;
  /** The source terms that this field serves. */
  readonly sources: Set<Node>;
}
/** A reduction along the vocabulary that no running pass can make; `index` is shared by equal skeletons. */
export interface Total {
  readonly index: number;
  readonly op: "sum" | "max";
  readonly response: string;
  readonly skeleton: Skeleton;
  readonly source: Node;
}
/** An expression along the vocabulary, and its value at the label (which must not be computed by cancellation). */
export interface DerivedForm {
  readonly terms: readonly Term[];
  readonly atLabel: Node;
}
export interface Derivation {
  /** The expressions without a vocabulary axis, over fields instead of logits, in the order given. */
  readonly rows: readonly Node[];
  /** The expressions along the vocabulary (gradients), in the order given. */
  readonly forms: readonly DerivedForm[];
  readonly fields: ReadonlyMap<Node, FieldUse>;
  readonly totals: readonly Total[];
}

/** The gradient of a logits input: [batch, token, vocab], or fewer axes where it is the same along them. */
export interface AlongVocabulary {
  readonly input: Node;
  readonly node: Node;
}

/** Derives the passes of expressions without a vocabulary axis (`rows`) and of gradients along it. */
export function derive(rows: readonly Node[], alongVocabulary: readonly AlongVocabulary[]): Derivation {
  const fields = new Map<Node, FieldUse>();
  const totals: Total[] = [];
  const totalKeys: string[] = [];
  const values = new Map<Node, Value>();

  const field = (spec: FieldSpec, response: string, source: Node): Node => {
    const node = fieldInput(spec, response);
    const use = fields.get(node) ?? { spec, response, sources: new Set<Node>() };
    use.sources.add(source);
    fields.set(node, use);
    return node;
  };
  const logits = (z: Node): { model: "policy" | "ref"; response: string } =>
    logitsOfInput(z) ?? fail("unsupported-input", "Only logits have a vocabulary axis.");
  const maximum = (z: Node, source: Node): Node => {
    const { model, response } = logits(z);
    return field({ kind: "maximum", model }, response, source);
  };
  const labelEntry = (z: Node, source: Node): Node => {
    const { model, response } = logits(z);
    return field({ kind: "label", model }, response, source);
  };
  const shiftTerms = (value: RowValue | Form, source: Node): Node =>
    [...value.shifts].reduce(
      (total, [z, amount]) => forms.plusNode(total, forms.timesNode(constant(amount), maximum(z, source))),
      constant(0),
    );
  const rowNode = (value: Value, source: Node): Node => {
    if (value.kind === "row") return forms.plusNode(value.rest, shiftTerms(value, source));
    if (value.kind === "raw") return value.node;
    return fail("vocabulary-left", "A row-level value still ranges over the vocabulary.");
  };
  /** Moves the shifts of a form into an ordinary term. */
  const settled = (value: Form, source: Node): Form =>
    value.shifts.size === 0
      ? value
      : forms.form(forms.collect([...value.terms, forms.rowTerm(shiftTerms(value, source))]));

  /** The form as a core node over logits, for what has no normal form. */
  const formNode = (value: Value, source: Node): Node => {
    if (value.kind !== "form") return rowNode(value, source);
    return settled(value, source).terms.reduce((total: Node, term) => {
      let product = term.coefficient;
      let exponent = term.exponent ?? constant(0);
      for (const [z, { d, k }] of term.powers) {
        const x = binary("minus", z, maximum(z, source));
        exponent = forms.plusNode(exponent, forms.timesNode(constant(d), x));
        for (let i = 0; i < k; i++) product = forms.timesNode(product, x);
      }
      if (!forms.isConst(exponent, 0)) product = forms.timesNode(product, unary("exp", exponent));
      for (const atom of term.atoms) product = forms.timesNode(product, atomNode(atom, source));
      return forms.plusNode(total, product);
    }, constant(0));
  };
  const atomNode = (atom: forms.Atom, source: Node): Node => {
    if (atom.kind === "opaque") return atom.node;
    if (atom.kind === "maximum") {
      return unary("toReal", binary("ge", atom.of, maximum(atom.of, source)));
    }
    const response = tokenResponse(source);
    return unary("toReal", binary("eq", iotaVocab, idsNode(response)));
  };

  const total = (op: "sum" | "max", body: Node, source: Node): Node => {
    const skeleton = skeletonOf(body);
    const key = `${op} ${skeleton.body.id}`;
    const response = tokenResponse(source);
    const known = totalKeys.indexOf(key);
    const index = known >= 0 ? known : totalKeys.push(key) - 1;
    if (!totals.some((other) => other.index === index && other.response === response)) {
      totals.push({ index, op, response, skeleton, source });
    }
    return field({ kind: "total", index }, response, source);
  };

  const moment = (term: Term, source: Node): Node | null => {
    const powers = [...term.powers].filter(([, { d, k }]) => d !== 0 || k !== 0);
    if (powers.length === 0) return count("vocab");
    // without an exponential there is nothing to shift: Σ_v x^k is left to a later pass
    if (powers.some(([, { d }]) => d < 0) || powers.every(([, { d }]) => d === 0)) return null;
    const response = logits(powers[0]![0]).response;
    for (const [z] of powers) maximum(z, source);
    const named = powers.map(([z, { d, k }]) => ({ model: logits(z).model, d, k }));
    const [only] = named;
    if (named.length === 1 && only!.k === 0) {
      return binary("plus", constant(1), field({ kind: "excess", model: only!.model, d: only!.d }, response, source));
    }
    named.sort((a, b) => (a.model < b.model ? -1 : 1));
    return field({ kind: "moment", powers: named }, response, source);
  };

  /** Σ_v of one term, or null when it is outside the class. */
  const sumTerm = (term: Term, source: Node): Node | null => {
    const scale = scaleOf(term.coefficient, term.exponent);
    const [atom, ...others] = term.atoms;
    if (atom === undefined) {
      const sum = moment(term, source);
      return sum === null ? null : forms.timesNode(scale, sum);
    }
    if (others.length === 0 && atom.kind === "label") return atLabel(term, source);
    if (others.length === 0 && atom.kind === "maximum" && [...term.powers.keys()].every((z) => z === atom.of)) {
      // at the maximum x = 0, so a power of x vanishes and an exponential is 1
      if ([...term.powers.values()].some(({ k }) => k > 0)) return constant(0);
      const { model, response } = logits(atom.of);
      return forms.timesNode(scale, field({ kind: "ties", model }, response, source));
    }
    return null;
  };
  /** The term's value at the label, with x = z_y − max z. */
  const atLabel = (term: Term, source: Node): Node => {
    let exponent = term.exponent ?? constant(0);
    let product = term.coefficient;
    for (const [z, { d, k }] of term.powers) {
      const x = labelEntry(z, source);
      exponent = forms.plusNode(exponent, forms.timesNode(constant(d), x));
      for (let i = 0; i < k; i++) product = forms.timesNode(product, x);
    }
    for (const atom of term.atoms) {
      if (atom.kind === "maximum") {
        product = forms.timesNode(product, unary("toReal", binary("ge", labelEntry(atom.of, source), constant(0))));
      } else if (atom.kind === "opaque") {
        product = forms.timesNode(product, nodeAtLabel(atom.node, source));
      }
    }
    return scaleOf(product, exponent);
  };
  /**
   * A form at the label. Near probability 1 the one of the label and the exponential of the softmax cancel,
   * A + B e^ℓ with B = −A; written (A + B) + B·expm1(ℓ), the first part cancels as a symbol.
   */
  const valueAtLabel = (body: Form, source: Node): Node => {
    const plain: Term[] = [];
    const exponentials: Term[] = [];
    for (const term of body.terms) {
      const powers = [...term.powers.values()];
      const pure = term.atoms.length === 0 && powers.every(({ k }) => k === 0) && powers.some(({ d }) => d !== 0);
      (pure ? exponentials : plain).push(term);
    }
    const direct = plain.map((term) => atLabel(term, source));
    const whole = tidy([...direct, ...exponentials.map((term) => term.coefficient)].reduce(forms.plusNode, constant(0)));
    return exponentials.reduce((sum, term) => {
      const exponent = [...term.powers].reduce(
        (line, [z, { d }]) => forms.plusNode(line, forms.timesNode(constant(d), labelEntry(z, source))),
        term.exponent ?? constant(0),
      );
      return forms.plusNode(sum, forms.timesNode(term.coefficient, unary("expm1", tidy(exponent))));
    }, whole);
  };
  const nodeAtLabel = (node: Node, source: Node): Node => {
    if (!node.axes.includes("vocab")) return node;
    if (node.tag === "iota") return idsNode(tokenResponse(source));
    if (logitsOfInput(node) !== null) return binary("plus", labelEntry(node, source), maximum(node, source));
    return withArgs(node, node.args.map((arg) => nodeAtLabel(arg, source)));
  };

  const reduceVocabulary = (op: "sum" | "max" | "logSumExp", body: Form, source: Node): RowValue => {
    if (op === "sum") {
      const whole = settled(body, source);
      let rest = constant(0);
      const outside: Term[] = [];
      for (const term of whole.terms) {
        const sum = sumTerm(term, source);
        if (sum === null) outside.push(term);
        else rest = forms.plusNode(rest, sum);
      }
      if (outside.length > 0) {
        rest = forms.plusNode(rest, total("sum", formNode(forms.form(outside), source), source));
      }
      return forms.rowValue(rest);
    }
    const line = linear(body);
    if (line !== null && line.d.size === 1) {
      const [[z, d]] = [...line.d] as [[Node, number]];
      if (d > 0) {
        maximum(z, source);
        if (op === "max") return forms.rowValue(line.row, body.shifts);
        const { model, response } = logits(z);
        const excess = field({ kind: "excess", model, d }, response, source);
        return forms.rowValue(forms.plusNode(line.row, unary("log1p", excess)), body.shifts);
      }
    }
    const node = formNode(body, source);
    const largest = total("max", node, source);
    if (op === "max") return forms.rowValue(largest);
    const shifted = unary("exp", binary("minus", node, largest));
    return forms.rowValue(binary("plus", largest, unary("log", total("sum", shifted, source))));
  };

  const visit = (node: Node): Value => {
    const args = node.args.map((arg) => values.get(arg)!);
    if (node.tag === "stop") return args[0]!;
    if (node.axes.includes("vocab")) return vocabulary(node, args);
    if (node.tag === "reduce" && node.axis === "vocab") {
      const [body] = args as [Value];
      if (body.kind === "raw") return fail("vocabulary-left", "A reduction takes a real expression.");
      if (body.kind === "row") return forms.rowValue(repeated(node.op, rowNode(body, node)));
      return reduceVocabulary(node.op, body, node);
    }
    if (node.tag === "at" && node.axis === "vocab" && node.args[0].axes.includes("vocab")) {
      if (!isLabel(node.args[1])) {
        return fail(
          "unsupported-index",
          "at(…, \"vocab\", index): kernels read the logits at the response's own ids only; use y.ids as the index.",
        );
      }
      const body = args[0]!;
      if (body.kind !== "form") return forms.rowValue(nodeAtLabel(rowNode(body, node), node));
      return forms.rowValue(valueAtLabel(body, node), body.shifts);
    }
    return rowLevel(node, args);
  };

  /** Sums and multiples carry the shifts along; everything else needs the number itself. */
  const rowLevel = (node: Node, args: readonly Value[]): Value => {
    const [a, b] = args;
    if (node.tag === "binary" && (node.op === "plus" || node.op === "minus") && a?.kind === "row" && b?.kind === "row") {
      const rest = binary(node.op, a.rest, b.rest);
      return forms.rowValue(rest, forms.addShifts(a.shifts, b.shifts, node.op === "plus" ? 1 : -1));
    }
    if (node.tag === "unary" && node.op === "neg" && a?.kind === "row") {
      return forms.rowValue(unary("neg", a.rest), forms.scaleShifts(a.shifts, -1));
    }
    if (node.tag === "binary" && node.op === "times" && a?.kind === "row" && b?.kind === "row") {
      if (forms.isConst(a.rest) && a.rest.tag === "const") {
        return forms.rowValue(forms.timesNode(a.rest, b.rest), forms.scaleShifts(b.shifts, a.rest.value));
      }
      if (b.rest.tag === "const") {
        return forms.rowValue(forms.timesNode(a.rest, b.rest), forms.scaleShifts(a.shifts, b.rest.value));
      }
    }
    return forms.rowValue(withArgs(node, args.map((arg) => rowNode(arg, node))));
  };

  const vocabulary = (node: Node, args: readonly Value[]): Value => {
    if (node.tag === "input") return forms.logitsForm(node);
    if (node.tag === "iota") return { kind: "raw", node };
    const [a, b, c] = args;
    const real = (value: Value | undefined): value is RowValue | Form => value !== undefined && value.kind !== "raw";
    const otherwise = (): Value => {
      const rebuilt = withArgs(
        node,
        args.map((arg, position) => {
          const built = formNode(arg, node);
          const wasBool = node.args[position]!.dtype === "bool" && built.dtype !== "bool";
          return wasBool ? binary("gt", built, constant(0.5)) : built;
        }),
      );
      return rebuilt.dtype === "f32" ? forms.opaque(rebuilt) : { kind: "raw", node: rebuilt };
    };
    if (node.tag === "select" && a !== undefined && real(b) && real(c)) {
      if (a.kind === "row") return branch(a.rest, forms.lift(b), forms.lift(c), node);
      if (a.kind === "raw") return otherwise();
      const indicator = a;
      const difference = settled(forms.addForms(forms.lift(b), forms.lift(c), -1), node);
      const chosen = forms.multiplyForms(indicator, difference);
      return chosen === null ? otherwise() : forms.addForms(forms.lift(c), chosen, 1);
    }
    if (node.tag === "binary" && node.op === "eq") return equality(node, a!, b!) ?? otherwise();
    if (node.tag === "unary" && node.op === "toReal") return asIndicator(a!) ?? otherwise();
    if (node.tag === "unary" && real(a)) {
      const body = forms.lift(a);
      if (node.op === "neg") return forms.form(forms.scaleTerms(body.terms, constant(-1)), forms.scaleShifts(body.shifts, -1));
      if (node.op === "square") {
        const whole = settled(body, node);
        return forms.multiplyForms(whole, whole) ?? otherwise();
      }
      if (node.op === "exp") return exponential(body, node) ?? otherwise();
      return otherwise();
    }
    if (node.tag === "binary" && real(a) && real(b)) {
      if (node.op === "plus" || node.op === "minus") {
        return forms.addForms(forms.lift(a), forms.lift(b), node.op === "plus" ? 1 : -1);
      }
      if (node.op === "times") {
        for (const [scalar, other] of [[a, b], [b, a]] as const) {
          if (scalar.kind === "row" && scalar.rest.tag === "const" && scalar.shifts.size === 0) {
            const body = forms.lift(other);
            return forms.form(forms.scaleTerms(body.terms, scalar.rest), forms.scaleShifts(body.shifts, scalar.rest.value));
          }
        }
        return forms.multiplyForms(settled(forms.lift(a), node), settled(forms.lift(b), node)) ?? otherwise();
      }
      if (node.op === "over" && b.kind === "row") {
        const divisor = rowNode(b, node);
        const terms = settled(forms.lift(a), node).terms;
        return forms.form(terms.map((term) => ({ ...term, coefficient: binary("over", term.coefficient, divisor) })));
      }
    }
    return otherwise();
  };

  /** A choice that is the same for the whole row chooses each coefficient. */
  const branch = (condition: Node, whenTrue: Form, whenFalse: Form, source: Node): Form => {
    const zero = constant(0);
    const first = settled(whenTrue, source).terms.map((term) => ({
      ...term,
      coefficient: select(condition, term.coefficient, zero),
    }));
    const second = settled(whenFalse, source).terms.map((term) => ({
      ...term,
      coefficient: select(condition, zero, term.coefficient),
    }));
    return forms.form(forms.collect([...first, ...second]));
  };

  /** e^{linear} is a single term: multiples of x become powers, the rest stays an exponent. */
  const exponential = (body: Form, source: Node): Form | null => {
    const line = linear(body);
    if (line === null) return null;
    const exponent = tidy(forms.plusNode(line.row, shiftTerms(body, source)));
    const powers = new Map([...line.d].map(([z, d]) => [z, { d, k: 0 }]));
    return forms.form([{ coefficient: constant(1), exponent: forms.isConst(exponent, 0) ? null : exponent, powers, atoms: [] }]);
  };

  /** [v = y] and [z = max z] have indicator atoms; any other comparison has no normal form. */
  const equality = (node: Node, a: Value, b: Value): Form | null => {
    const [left, right] = node.args as readonly [Node, Node];
    if ((isIotaVocab(left) && isLabel(right)) || (isIotaVocab(right) && isLabel(left))) {
      return forms.form([forms.atomTerm({ kind: "label" })]);
    }
    if (a.kind === "raw" || b.kind === "raw") return null;
    const difference = forms.addForms(forms.lift(a), forms.lift(b), -1);
    const line = linear(difference);
    if (line === null || line.d.size !== 1 || difference.shifts.size > 0) return null;
    if (!forms.isConst(tidy(line.row), 0)) return null;
    return forms.form([forms.atomTerm({ kind: "maximum", of: [...line.d.keys()][0]! })]);
  };

  const gradientForm = ({ input: z, node }: AlongVocabulary): DerivedForm => {
    const value = values.get(node)!;
    const root = z;
    if (value.kind === "raw") return fail("vocabulary-left", "A gradient is a real expression.");
    const whole = settled(forms.lift(value), root);
    for (const term of whole.terms) {
      for (const other of term.powers.keys()) maximum(other, root);
      for (const atom of term.atoms) if (atom.kind === "maximum") maximum(atom.of, root);
    }
    return { terms: whole.terms, atLabel: valueAtLabel(whole, root) };
  };

  const roots = [...rows, ...alongVocabulary.map(({ node }) => node)];
  for (const node of topological(roots)) values.set(node, visit(node));
  return {
    rows: rows.map((root) => rowNode(values.get(root)!, root)),
    forms: alongVocabulary.map(gradientForm),
    fields,
    totals,
  };
}

const iotaVocab: Node = iota("vocab");
const isIotaVocab = (node: Node): boolean => node === iotaVocab;
const isLabel = (node: Node): boolean => node.tag === "input" && node.name.startsWith("ids.");

/** The one response whose tokens a node ranges over. */
function tokenResponse(node: Node): string {
  const axis = node.axes.find(isTokenAxis);
  return axis === undefined
    ? fail("vocabulary-without-tokens", "A vocabulary expression must belong to the tokens of a response.")
    : responseOf(axis);
}

/** The form as Σ d·x + row, or null when it is not linear with constant slopes. */
function linear(body: Form): { readonly d: ReadonlyMap<Node, number>; readonly row: Node } | null {
  const d = new Map<Node, number>();
  let row = constant(0);
  for (const term of body.terms) {
    if (term.atoms.length > 0) return null;
    const powers = [...term.powers].filter(([, power]) => power.d !== 0 || power.k !== 0);
    const [first, second] = powers;
    if (first === undefined) {
      row = forms.plusNode(row, scaleOf(term.coefficient, term.exponent));
      continue;
    }
    const slope = linearForm(term.coefficient);
    const simple = second === undefined && first[1].d === 0 && first[1].k === 1 && term.exponent === null;
    if (!simple || slope.terms.size > 0) return null;
    d.set(first[0], (d.get(first[0]) ?? 0) + slope.constant);
  }
  for (const [z, amount] of d) if (amount === 0) d.delete(z);
  return { d, row };
}

/** A reduction along the vocabulary of a value that is the same at every entry. */
function repeated(op: "sum" | "max" | "logSumExp", value: Node): Node {
  if (op === "sum") return binary("times", count("vocab"), value);
  return op === "max" ? value : binary("plus", value, unary("log", count("vocab")));
}

/** A comparison as a form with the values 0 and 1, or null when it has none. */
function asIndicator(value: Value): Form | null {
  if (value.kind === "form") return value;
  return value.kind === "raw" ? null : forms.form([forms.rowTerm(unary("toReal", value.rest))]);
}

/** coefficient · e^{exponent}, with exponents collected so that equal terms cancel as symbols. */
export function scaleOf(coefficient: Node, exponent: Node | null): Node {
  const collected = exponent === null ? constant(0) : tidy(exponent);
  return forms.isConst(collected, 0) ? coefficient : forms.timesNode(coefficient, unary("exp", collected));
}

const tidy = (node: Node): Node => fromLinearForm(linearForm(node));
