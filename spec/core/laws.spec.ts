// Substitution, on which binding, rewriting and stacking rest: the identity changes nothing, two in a row are one, what does
// not occur does not matter, and the value of a term with something put in is the term's value where that is put in.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { binary, constant, stop, substitute, withArgs } from "../../src/core/build.ts";
import { PrefcError } from "../../src/core/error.ts";
import { logitsOf } from "../../src/core/inputs.ts";
import { topological, type Node } from "../../src/core/node.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { ragged } from "../support/arbitraries.ts";
import { terms } from "../support/terms.ts";
import { isTame, vocabularyLosses } from "../support/vocabulary.ts";

type Change = (rebuilt: Node, original: Node) => Node;
const isDefined = (make: () => unknown): boolean => {
  try {
    make();
    return true;
  } catch (error) {
    if (error instanceof PrefcError && error.code === "undefined-value") return false;
    throw error;
  }
};
const put = (roots: readonly Node[], change: Change): readonly Node[] =>
  substitute(roots, change, topological(roots));
const replacing =
  (what: ReadonlyMap<Node, Node>): Change =>
  (rebuilt, original) =>
    what.get(original) ?? rebuilt;

describe("substitution", () => {
  it("of every term by itself is the identity", () => {
    fc.assert(
      fc.property(terms, (pool) => {
        put(pool, (node) => node).forEach((node, n) => expect(node === pool[n]).toBe(true));
        for (const node of topological(pool)) expect(withArgs(node, node.args)).toBe(node);
      }),
    );
  });

  it("does not see what does not occur, nor what lies below what is replaced", () => {
    const absent = logitsOf("policy", "nowhere");
    fc.assert(
      fc.property(terms, (pool) => {
        const root = pool[pool.length - 1]!;
        const below = topological([root]).filter((node) => node !== root);
        const all = new Map([...below, absent].map((node): [Node, Node] => [node, node]));
        expect(put([root], replacing(all))[0]).toBe(root);
        expect(put([root], replacing(new Map([[root, stop(root)]])))[0]).toBe(stop(root));
      }),
    );
  });

  it("made twice is the composition made once", () => {
    // a leaf of one kind becomes another leaf of that kind, so that the term stays well formed
    const policy = ["w", "l"].map((response) => logitsOf("policy", response));
    const ref = ["w", "l"].map((response) => logitsOf("ref", response));
    const first = new Map(policy.map((node, n): [Node, Node] => [node, ref[n]!]));
    const second = new Map(ref.map((node, n): [Node, Node] => [node, policy[n]!]));
    const both = new Map([...first, ...second].map(([from]) => [from, policy[n(from)]!] as const));
    function n(node: Node): number {
      return Math.max(policy.indexOf(node), ref.indexOf(node));
    }
    fc.assert(
      fc.property(vocabularyLosses, ({ loss, metric }) => {
        const twice = put(put([loss, metric], replacing(first)), replacing(second));
        const once = put([loss, metric], replacing(both));
        once.forEach((root, position) => expect(twice[position] === root).toBe(true));
      }),
    );
  });

  it("of a value for a term is the value of the term held there", () => {
    const batches = ragged({ scales: ["normal"], maxExamples: 2, maxLength: 2, maxVocab: 4 });
    fc.assert(
      fc.property(vocabularyLosses, batches, fc.nat(), ({ loss, metric }, batch, which) => {
        fc.pre(isTame([loss, metric], batch));
        const scalars = topological([loss]).filter(
          (node) => node.axes.length === 0 && node.dtype === "f32" && node.tag !== "const",
        );
        const chosen = scalars[which % scalars.length]!;
        const [value] = evaluate([metric], batch, {});
        // the value may be one that the loss divides by
        fc.pre(isDefined(() => evaluate([loss], batch, {}, new Map([[chosen, value!]]))));
        const held = evaluate([loss], batch, {}, new Map([[chosen, value!]]));
        // a maximum is one float64, as a value that is held: what lies beside a value near 1 (reference/apart.ts) ends there
        const one = binary("maximum", metric, metric);
        const [whole] = put([loss], replacing(new Map([[chosen, one]])));
        expect(evaluate([whole!], batch, {})).toEqual(held);
        const number = constant(value!.data[0]!);
        const [known] = put([loss], replacing(new Map([[chosen, number]])));
        expect(evaluate([known!], batch, {})).toEqual(held);
      }),
    );
  });
});
