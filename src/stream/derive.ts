// Derives the passes over the vocabulary from the algebra. Every expression is read once, bottom-up: along
// the vocabulary it becomes a normal form (form.ts); a reduction of a normal form becomes fields of a single
// running pass; what has no normal form becomes a total, a later pass of its own. Nothing here knows a loss.

import { isOfResponse, isPairOf, isTokenAxis, kindOf } from "../core/axis.ts";
import { binary, constant, iota, reduce, select, withArgs } from "../core/build.ts";
import { fail } from "../core/error.ts";
import { topological, type At, type Node } from "../core/node.ts";
import { smart } from "../core/smart.ts";
import { exactMaxima } from "./exact.ts";
import * as forms from "./form.ts";
import type { RowValue, Term, Value } from "./form.ts";
import { recorder, type FieldUse, type Recorder, type Total } from "./record.ts";
import { reduceRepeated, reduceVocabulary } from "./reduce.ts";
import { isLabel, nodeAtLabel, rowNode, settled, valueAtLabel } from "./settle.ts";
import { vocabularyValue } from "./vocabulary.ts";

/** An expression along the vocabulary, and its value at the label (which must not be computed by cancellation). */
export interface DerivedForm {
  readonly terms: readonly Term[];
  readonly atLabel: Node;
}
export interface Derivation {
  /** The expressions without a vocabulary axis, over fields instead of logits, in the order given. */
  readonly rows: readonly Node[];
  /** The gradients along the vocabulary, in the order given. */
  readonly forms: readonly DerivedForm[];
  readonly fields: ReadonlyMap<Node, FieldUse>;
  readonly totals: readonly Total[];
  /** Logits whose maximum is asked for, and not only a reference point near it: keys of exact.ts. */
  readonly exact: ReadonlySet<string>;
}
/** The gradient of a logits input: [batch, token, vocab], or fewer axes where it is the same along them. */
export interface AlongVocabulary {
  readonly input: Node;
  readonly node: Node;
}

/** Derives the passes of expressions without a vocabulary axis (`rows`) and of gradients along it. */
export function derive(rows: readonly Node[], gradients: readonly AlongVocabulary[]): Derivation {
  const record = recorder();
  const values = new Map<Node, Value>();
  const roots = [...rows, ...gradients.map((gradient) => gradient.node)];
  for (const node of topological(roots)) {
    values.set(
      node,
      visit(
        record,
        node,
        node.args.map((arg) => values.get(arg)!),
      ),
    );
  }
  return {
    rows: rows.map((root) => rowNode(record, values.get(root)!, root)),
    forms: gradients.map(({ input, node }) => gradientForm(record, values.get(node)!, input)),
    fields: record.fields,
    totals: record.totals,
    exact: exactMaxima(roots),
  };
}

function visit(record: Recorder, node: Node, args: readonly Value[]): Value {
  if (node.tag === "stop") return args[0]!;
  if (node.axes.includes("vocab")) return vocabularyValue(record, node, args);
  if (node.tag === "reduce" && node.axis === "vocab") {
    const [body] = args as readonly [Value];
    if (body.kind === "form") return reduceVocabulary(record, node.op, body, node);
    return forms.rowValue(reduceRepeated(node.op, rowNode(record, body, node)));
  }
  if (node.tag === "at" && node.axis === "vocab" && node.args[0].axes.includes("vocab")) {
    if (!isLabel(node.args[1])) {
      fail(
        "unsupported-index",
        'at(…, "vocab", index): kernels read the logits at the response\'s own ids only; use y.ids as the index.',
      );
    }
    const body = args[0]!;
    if (body.kind === "form") return forms.rowValue(valueAtLabel(record, body, node), body.shifts);
    return forms.rowValue(nodeAtLabel(record, rowNode(record, body, node), node));
  }
  if (node.tag === "at" && isOfResponse(kindOf(node.axis)) && !isRenaming(node))
    return forms.rowValue(tokenAt(record, node, args));
  const carried = shifted(node, args);
  if (carried !== null && forms.areHeld(carried.shifts)) return carried;
  return forms.rowValue(
    withArgs(
      node,
      args.map((arg) => rowNode(record, arg, node)),
    ),
  );
}

/** Whether a substitution only says which response of a pair is meant. */
const isRenaming = ({ axis, args: [, index] }: At): boolean =>
  index.tag === "iota" && isPairOf(axis, index.axis);

/**
 * Row programs read their own token only, so that another token's value is looked for: Σ_t [t = index] x(t).
 * @throws PrefcError "unsupported-index" where every token would look at another one, and for indices and logits
 */
function tokenAt(record: Recorder, node: At, args: readonly Value[]): Node {
  const [body, index] = args.map((arg) => rowNode(record, arg, node)) as [Node, Node];
  const { axis } = node;
  if (!body.axes.includes(axis)) return body;
  if (body.dtype !== "f32" || index.axes.some(isTokenAxis)) {
    return fail(
      "unsupported-index",
      'at(…, "token", index): kernels pick a real number by an index that is the same for all tokens of an example; reduce the tokens with a condition instead.',
    );
  }
  return reduce("sum", axis, select(binary("eq", iota(axis), index), body, constant(0)));
}

/** Sums and multiples carry shifts along; null where the number itself is needed. */
function shifted(node: Node, args: readonly Value[]): RowValue | null {
  const [a, b] = args;
  if (a?.kind !== "row") return null;
  if (node.tag === "unary" && node.op === "neg") {
    return forms.rowValue(smart.neg(a.rest), forms.scaleShifts(a.shifts, -1));
  }
  if (node.tag !== "binary" || b?.kind !== "row") return null;
  if (node.op === "plus" || node.op === "minus") {
    const sign = node.op === "plus" ? 1 : -1;
    return forms.rowValue(
      binary(node.op, a.rest, b.rest),
      forms.addShifts(a.shifts, b.shifts, sign),
    );
  }
  if (node.op !== "times") return null;
  const product = (factor: RowValue, other: RowValue): RowValue | null =>
    factor.rest.tag === "const" && factor.shifts.size === 0
      ? forms.rowValue(
          smart.times(factor.rest, other.rest),
          forms.scaleShifts(other.shifts, factor.rest.value),
        )
      : null;
  return product(a, b) ?? product(b, a);
}

/** A gradient's form, with the maxima that its kernel needs recorded; `z` is the logits it belongs to. */
function gradientForm(record: Recorder, value: Value, z: Node): DerivedForm {
  if (value.kind === "raw")
    return fail(
      "vocabulary-left",
      "A gradient over the vocabulary is no real number; this is a bug of prefc, so please report it with the objective.",
    );
  const whole = settled(record, forms.lift(value), z);
  for (const term of whole.terms) {
    for (const other of term.powers.keys()) record.maximum(other, z);
    for (const atom of term.atoms) if (atom.kind === "maximum") record.maximum(atom.of, z);
  }
  return { terms: whole.terms, atLabel: valueAtLabel(record, whole, z) };
}
