// docs/language.md is what the rows of the operators, the comments of the source and the examples make of it, and no word of the
// language is without an example that runs.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { tables, type Example } from "../../scripts/language/examples.ts";
import { languagePage, lossOf, responses } from "../../scripts/language/page.ts";
import * as language from "../../src/dsl/index.ts";
import { binaryOps, unaryOps } from "../../src/core/ops.ts";
import { compile, objective } from "../../src/index.ts";

const examples: Readonly<Record<string, Example>> = Object.assign({}, ...Object.values(tables));

/** Exports that make, ask about or hand on objectives, rather than being words of a formula. */
const around = [
  "PrefcError",
  "changedGiven",
  "isExpr",
  "isObjective",
  "named",
  "objective",
  "reads",
  "referenceFree",
];
/** Words that the page says in prose, since a formula with them returns more than a loss. */
const inProse = ["list", "state"];

describe("the page of the language", () => {
  const page = languagePage();

  it("is what npm run language writes; run it and commit docs/language.md", () => {
    expect(readFileSync(new URL("../../docs/language.md", import.meta.url), "utf8")).toBe(page);
  });

  it("has an example of every exported word and of every operator with a name", () => {
    const words = Object.keys(language).filter((word) => !around.includes(word));
    const methods = Object.entries(binaryOps).flatMap(([op, row]) => ("method" in row ? [op] : []));
    const named = Object.entries(unaryOps).flatMap(([op, { says }]) => (says ? [op] : []));
    const wanted = [...words, ...methods, ...named].filter((word) => !inProse.includes(word));
    expect(wanted.filter((word) => !Object.hasOwn(examples, word))).toEqual([]);
    expect(inProse.filter((word) => !page.includes(`\`${word}(`))).toEqual([]);
  });

  it("says something of every word", () => {
    const silent = page.split("\n").filter((line) => /^\| `[^|]*` \|\s*\|/.test(line));
    expect(silent).toEqual([]);
  });

  it("shows formulas that have a loss and that compile", () => {
    for (const [word, formula] of Object.entries(examples)) {
      expect(Number.isFinite(lossOf(formula)), word).toBe(true);
      const whole = objective("example", responses, formula, { source: "docs/language.md" });
      expect(() => compile(whole), word).not.toThrow();
    }
  });
});
