// The normal form of an expression along the vocabulary. With x = z − max z, a form is
//   Σ_terms  coefficient · e^{exponent} · Π_z e^{d·x} x^k · atoms   (+ Σ shift·max z)
// where coefficient and exponent do not depend on the vocabulary entry. Sums of such terms are exactly what
// a running pass can accumulate, and what the gradient kernel evaluates with one exponential per entry.
// Multiples of the maxima are carried apart ("shifts") so that they cancel as symbols, never as numbers.

import { constant } from "../core/build.ts";
import type { Node } from "../core/node.ts";
import { isConstant, smart } from "../core/smart.ts";

/** e^{d·x} x^k of one logits input. */
export interface Power {
  readonly d: number;
  readonly k: number;
}

export type Atom =
  /** 1 at the vocabulary entry of the label, 0 elsewhere. */
  | { readonly kind: "label" }
  /** 1 where the logits reach their maximum, 0 elsewhere. */
  | { readonly kind: "maximum"; readonly of: Node }
  /** Anything else that depends on the vocabulary entry, as a core node over logits and row values. */
  | { readonly kind: "opaque"; readonly node: Node };

export interface Term {
  readonly coefficient: Node;
  /** Row-level; null stands for 0. */
  readonly exponent: Node | null;
  readonly powers: ReadonlyMap<Node, Power>;
  readonly atoms: readonly Atom[];
}

export type Shifts = ReadonlyMap<Node, number>;

/** A value that does not depend on the vocabulary entry: rest + Σ shift·max z. */
export interface RowValue {
  readonly kind: "row";
  readonly shifts: Shifts;
  readonly rest: Node;
}
export interface Form {
  readonly kind: "form";
  readonly shifts: Shifts;
  readonly terms: readonly Term[];
}
/** An index or a comparison that has no normal form. */
export interface Raw {
  readonly kind: "raw";
  readonly node: Node;
}
export type Value = RowValue | Form | Raw;

/** More terms than this are not multiplied out; the product becomes opaque instead. */
const largestProduct = 32;
/** Higher powers of x are not accumulated: as many moments would be kept below them, and f32 would not hold them. */
const largestPower = 8;
/** Factors outside the normal form that a term has; more are one, so that what they have in common is computed once. */
const mostOpaque = 8;
const noShifts: Shifts = new Map();
const noPowers: ReadonlyMap<Node, Power> = new Map();

export const rowValue = (rest: Node, shifts: Shifts = noShifts): RowValue => ({
  kind: "row",
  shifts,
  rest,
});
export const form = (terms: readonly Term[], shifts: Shifts = noShifts): Form => ({
  kind: "form",
  shifts,
  terms,
});

export const rowTerm = (coefficient: Node): Term => ({
  coefficient,
  exponent: null,
  powers: noPowers,
  atoms: [],
});
export const atomTerm = (atom: Atom): Term => ({ ...rowTerm(constant(1)), atoms: [atom] });
export const opaque = (node: Node): Form => form([atomTerm({ kind: "opaque", node })]);

/** The logits themselves: x + max z. */
export const logitsForm = (z: Node): Form =>
  form([{ ...rowTerm(constant(1)), powers: new Map([[z, { d: 0, k: 1 }]]) }], new Map([[z, 1]]));

export function addShifts(a: Shifts, b: Shifts, sign: number): Shifts {
  const sum = new Map(a);
  for (const [z, amount] of b) {
    const total = (sum.get(z) ?? 0) + sign * amount;
    if (total === 0) sum.delete(z);
    else sum.set(z, total);
  }
  return sum;
}

export function scaleShifts(shifts: Shifts, factor: number): Shifts {
  return factor === 0 ? noShifts : new Map([...shifts].map(([z, amount]) => [z, amount * factor]));
}

/** Whether every multiple of a maximum is a number; one that is none leaves the range of numbers as it was written. */
export const areHeld = (shifts: Shifts): boolean => [...shifts.values()].every(Number.isFinite);

/** Lifts a row value into a form; its shifts stay apart. */
export const lift = (value: RowValue | Form): Form =>
  value.kind === "form" ? value : form([rowTerm(value.rest)], value.shifts);

/** Identifies what a term is, apart from its coefficient and exponent. */
function termKey(term: Term): string {
  const powers = [...term.powers].map(([z, { d, k }]) => `${z.id}:${d},${k}`).toSorted();
  const atoms = term.atoms.map((atom) => atomKey(atom)).toSorted();
  return `${powers.join(";")}|${atoms.join(";")}`;
}

function atomKey(atom: Atom): string {
  if (atom.kind === "label") return "label";
  return atom.kind === "maximum" ? `maximum ${atom.of.id}` : `opaque ${atom.node.id}`;
}

/** Adds up terms that differ in their coefficient only; those that cancel are left out. */
export function collect(terms: readonly Term[]): readonly Term[] {
  const byKey = new Map<string, Term>();
  for (const term of terms) {
    if (isConstant(term.coefficient, 0)) continue;
    const key = `${termKey(term)}|${term.exponent?.id ?? ""}`;
    const known = byKey.get(key);
    byKey.set(
      key,
      known === undefined
        ? term
        : { ...known, coefficient: smart.plus(known.coefficient, term.coefficient) },
    );
  }
  return [...byKey.values()].filter(({ coefficient }) => !isConstant(coefficient, 0));
}

export function addForms(a: Form, b: Form, sign: 1 | -1): Form {
  const second = sign === 1 ? b.terms : scaleTerms(b.terms, constant(-1));
  return form(collect([...a.terms, ...second]), addShifts(a.shifts, b.shifts, sign));
}

export const scaleTerms = (terms: readonly Term[], factor: Node): readonly Term[] =>
  terms.map((term) => ({ ...term, coefficient: smart.times(term.coefficient, factor) }));

/** Product of two forms without shifts, or null when it would have too many terms, or terms that are too large. */
export function multiplyForms(a: Form, b: Form): Form | null {
  if (a.terms.length * b.terms.length > largestProduct) return null;
  const terms: Term[] = [];
  for (const left of a.terms) for (const right of b.terms) terms.push(multiplyTerms(left, right));
  return terms.some(isTooLarge) ? null : form(collect(terms));
}

const isTooLarge = ({ powers, atoms }: Term): boolean =>
  [...powers.values()].some(({ d, k }) => k > largestPower || !Number.isFinite(d)) ||
  atoms.filter(({ kind }) => kind === "opaque").length > mostOpaque;

function multiplyTerms(a: Term, b: Term): Term {
  const powers = new Map(a.powers);
  for (const [z, power] of b.powers) {
    const other = powers.get(z);
    powers.set(z, { d: power.d + (other?.d ?? 0), k: power.k + (other?.k ?? 0) });
  }
  const exponent =
    a.exponent === null
      ? b.exponent
      : b.exponent === null
        ? a.exponent
        : smart.plus(a.exponent, b.exponent);
  // an indicator is its own square
  const atoms = new Map<string, Atom>();
  const repeated: Atom[] = [];
  for (const atom of [...a.atoms, ...b.atoms]) {
    const key = atomKey(atom);
    if (atom.kind === "opaque" && atoms.has(key)) repeated.push(atom);
    else atoms.set(key, atom);
  }
  return {
    coefficient: smart.times(a.coefficient, b.coefficient),
    exponent,
    powers,
    atoms: [...atoms.values(), ...repeated],
  };
}
