// How code is taken out of documents: which blocks belong together, and what is refused.
import { describe, expect, it } from "vitest";
import { blocksOf, fencesOf } from "./blocks.ts";

const fenced = (info: string, ...lines: readonly string[]): string =>
  ["```" + info, ...lines, "```", ""].join("\n");

describe("the blocks of a document", () => {
  it("continue a module until an import or a file name begins another", () => {
    const text = [
      "Prose.\n",
      fenced("ts", 'import { a } from "a";', "a();"),
      fenced("text", "output"),
      fenced("ts", "a(2);"),
      fenced("ts", "// b.ts", "export const b = 1;"),
      fenced("sh", "not code of ours"),
    ].join("");
    const { modules } = blocksOf("x.md", text);
    expect(modules.map(({ name, text }) => [name, text])).toEqual([
      ["block-3.ts", 'import { a } from "a";\na();\na(2);\n'],
      ["b.ts", "// b.ts\nexport const b = 1;\n"],
    ]);
    const [first] = modules;
    const document = text.split("\n");
    expect(first!.lines.slice(0, 2).map((line) => document[line - 1])).toEqual([
      'import { a } from "a";',
      "a();",
    ]);
    expect(document[first!.lines[3]! - 1]).toBe("a(2);");
  });

  it("are quotations where a file is named", () => {
    const { quotations, modules } = blocksOf("x.md", fenced("ts src/a.ts", "const a = 1;"));
    expect(modules).toEqual([]);
    expect(quotations).toEqual([
      { document: "x.md", line: 2, file: "src/a.ts", text: "const a = 1;\n" },
    ]);
  });

  it("are mistakes with the message that follows, in the module before", () => {
    const text = [
      fenced("ts", 'import { a } from "a";'),
      fenced("ts mistake", "a(wrong);"),
      fenced("text", "Cannot do", "that."),
      fenced("ts", "a(right);"),
    ].join("");
    const { mistakes, modules } = blocksOf("x.md", text);
    expect(mistakes).toMatchObject([
      {
        module: { text: 'import { a } from "a";\n' },
        wrong: "a(wrong);\n",
        message: "Cannot do that.",
      },
    ]);
    expect(modules.map(({ text }) => text)).toEqual(['import { a } from "a";\na(right);\n']);
  });

  it("must be one of these", () => {
    expect(() => blocksOf("x.md", fenced("ts", "a();"))).toThrow(
      "x.md:2: a module begins with an import",
    );
    expect(() => blocksOf("x.md", fenced("ts mistake", "a();"))).toThrow(
      "a mistake needs a module",
    );
    expect(() => fencesOf("```ts\nnever closed\n")).toThrow(
      "the fence before line 2 is never closed",
    );
  });
});
