// What the tokens of several responses compute alike is computed once, by one dispatch over the tokens of all of them.

import { isList } from "../core/axis.ts";
import { alike, type Binding, type Matching } from "./alike.ts";
import type { Store } from "./timing.ts";

/** A value of a response's tokens, and what others compute alike, by response. */
export interface Shared {
  readonly store: Store;
  readonly members: ReadonlyMap<string, Store>;
}
/** The work of a dispatch over tokens. */
export interface TokenWork {
  readonly values: readonly Shared[];
  /** What the tokens of a response read in the place of each value per example. */
  readonly bindings: ReadonlyMap<string, Binding>;
}

interface Growing {
  readonly values: { readonly store: Store; readonly members: Map<string, Store> }[];
  readonly bindings: Map<string, Binding>;
}

/** Gathers the values of a moment; more than one dispatch only where a value per example would stand for two. */
export function tokenWorks(stores: readonly Store[], matching: Matching): readonly TokenWork[] {
  const works: Growing[] = [];
  for (const response of matching.program.responses) {
    for (const store of stores) {
      if (store.response !== response) continue;
      // the tokens of lists have a dispatch of their own
      const beside = works.filter(
        ({ values: [first] }) => isList(first!.store.response!) === isList(response),
      );
      if (beside.some((work) => joins(work, store, response, matching))) continue;
      if (beside.some((work) => opens(work, store, response, matching))) continue;
      const work: Growing = { values: [], bindings: new Map() };
      opens(work, store, response, matching);
      works.push(work);
    }
  }
  return works;
}

const isSameTarget = ({ target: a }: Store, { target: b }: Store): boolean => {
  if (a.kind === "field") return b.kind === "field" && a.field === b.field;
  if (a.kind === "operand") return b.kind === "operand" && a.of.op === b.of.op;
  return a.kind === b.kind;
};

/** Whether a response computes what another one does, which is noted. */
function joins(work: Growing, store: Store, response: string, matching: Matching): boolean {
  return work.values.some(({ store: first, members }) => {
    if (members.has(response) || !isSameTarget(first, store)) return false;
    const responses = { ours: first.response!, theirs: response };
    const known = work.bindings.get(response) ?? new Map();
    const binding = alike(first.node, store.node, responses, known, matching);
    if (binding === null) return false;
    work.bindings.set(response, binding);
    members.set(response, store);
    return true;
  });
}

/** Whether a response can compute something of its own beside the rest, which is noted. */
function opens(work: Growing, store: Store, response: string, matching: Matching): boolean {
  const responses = { ours: response, theirs: response };
  const known = work.bindings.get(response) ?? new Map();
  const binding = alike(store.node, store.node, responses, known, matching);
  if (binding === null) return false;
  work.bindings.set(response, binding);
  work.values.push({ store, members: new Map([[response, store]]) });
  return true;
}
