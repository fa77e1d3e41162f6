// Sentences repeat strings that a user chose only through `cite` and its relatives (src/core/quote.ts), which escape and cut
// them. Between bare quotation marks there may be words of ours alone: operators, axes, types and the like.
import { describe, expect, it } from "vitest";
import { sources } from "./source.ts";

/** What may stand as "${…}" in a template: names that prefc itself gives. */
const ours =
  /^(?:axis|dtype|height|type|label|op|(?:node|kernel)\.(?:op|tag|dtype|axis|name)|nameOf\(.*\)|String\(node\.kind\)|".*)$/;
const bare = (text: string): readonly string[] =>
  [...text.matchAll(/"\$\{([^{}]*)\}"/g)].map((match) => match[1]!);
const where: Readonly<Record<string, RegExp>> = {
  "rewrite/rule.ts": /^(?:name|variables\.get\(unbound\)!\.name)$/,
  "core/scan.ts": /^symbol$/,
  "dsl/reductions.ts": /^name$/,
  "dsl/wellformed.ts": /^left === /,
  "pipeline/pipeline.ts": /^name$/,
  // attributes of SVG: numbers and colours
  "bench/ratios.ts": /./,
  "bench/roofline.ts": /./,
  "draw/plot.ts": /./,
  // Python's own quotation marks around identifiers that prefc makes
  "torch/emit.ts": /^head$/,
  "torch/frame.ts": /^(?:name|names\.join\(" "\))$/,
};

describe("sentences", () => {
  it("repeat no string of a user between bare quotation marks; write ${cite(…)}", () => {
    const found = sources().flatMap(({ path, text }) =>
      bare(text)
        .filter((inner) => !ours.test(inner) && where[path]?.test(inner) !== true)
        .map((inner) => `${path}: ${inner}`),
    );
    expect(found).toEqual([]);
  });

  it("would be found if they did", () => {
    expect(bare('`there is no "${name}"`')).toEqual(["name"]);
  });
});
