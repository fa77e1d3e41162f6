// What a sentence suggests for an unknown name, and how it lists names.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { didYouMean, listNames } from "../../src/core/names.ts";

const word = fc.stringMatching(/^[a-z_]{4,10}$/);
const suggestion = (name: string): string => ` Did you mean "${name}"?`;

describe("didYouMean", () => {
  it("finds a name through one slip, in any case", () => {
    fc.assert(
      fc.property(
        word,
        fc.nat(),
        fc.constantFrom("drop", "double", "swap", "case"),
        (name, at, slip) => {
          const i = at % (name.length - 1);
          const [before, after] = [name.slice(0, i), name.slice(i + 1)];
          const given = {
            drop: before + after,
            double: before + name[i]! + name[i]! + after,
            swap: before + name[i + 1]! + name[i]! + name.slice(i + 2),
            case: name.toUpperCase(),
          }[slip];
          expect(didYouMean(given, [name])).toBe(suggestion(name));
        },
      ),
    );
  });

  it("takes the nearest of several, and nothing that is far from all", () => {
    expect(didYouMean("label_smothing", ["label_smooth", "label_smoothing"])).toBe(
      suggestion("label_smoothing"),
    );
    expect(didYouMean("beta", ["label_smoothing", "ld_alpha"])).toBe("");
    expect(didYouMean("anything", [])).toBe("");
    // a third of the letters may be wrong, and of a short name one
    expect(didYouMean("xyzzoo", ["xyzabc"])).toBe("");
    expect(didYouMean("xyzabo", ["xyzabc"])).toBe(suggestion("xyzabc"));
    expect(didYouMean("xy", ["xz"])).toBe(suggestion("xz"));
    expect(didYouMean("xy", ["ab"])).toBe("");
  });

  it("answers at once however long the given name is", () => {
    expect(didYouMean("b".repeat(10_000_000), ["beta"])).toBe("");
  });
});

describe("listNames", () => {
  it.each([
    [[], "none"],
    [["w"], '"w"'],
    [["w", "l"], '"w" and "l"'],
    [["w", "l", "kl"], '"w", "l" and "kl"'],
    [['a "name"'], '"a \\"name\\""'],
  ])("%j", (names, text) => expect(listNames(names)).toBe(text));
});
