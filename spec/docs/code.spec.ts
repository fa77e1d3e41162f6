// The code in README.md and docs/ is what the package really accepts: every module compiles and runs, every quotation is
// still in its file, and every mistake gives the message that the text shows.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { blocksOf, type Blocks } from "./blocks.ts";
import { messagesOf, program, workshop, type Message, type Workshop } from "./compile.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const documents = [
  "README.md",
  ...readdirSync(`${root}docs`, { recursive: true })
    .map((name) => `docs/${String(name)}`)
    .filter((name) => name.endsWith(".md")),
];
const all: readonly Blocks[] = documents.map((document) =>
  blocksOf(document, readFileSync(root + document, "utf8")),
);
const modules = all.flatMap((blocks) => blocks.modules);
const quotations = all.flatMap((blocks) => blocks.quotations);
const mistakes = all.flatMap((blocks) => blocks.mistakes);

let shop: Workshop;
let messages: readonly Message[] = [];

beforeAll(async () => {
  shop = workshop(modules, mistakes);
  messages = await messagesOf(shop);
});
afterAll(() => shop.remove());

/** A quotation from the middle of a file stands further to the left than in the file. */
const unindented = (text: string): string => text.replaceAll(/^ +/gm, "");

/** The messages about one module, at the lines of its document. */
const messagesAbout = (document: string, name: string): readonly Message[] =>
  messages.filter(
    ({ file }) =>
      file.startsWith(document.replaceAll(/[^a-z0-9]+/gi, "-")) && file.endsWith(`/${name}`),
  );

describe("modules", () => {
  it("are in the README and in the tutorial", () => {
    const found = new Set(modules.map(({ document }) => document));
    expect([...found]).toEqual(expect.arrayContaining(["README.md", "docs/tutorial.md"]));
  });

  for (const module of modules) {
    it(`${module.document}, ${module.name} compiles`, () => {
      const about = messagesAbout(module.document, module.name);
      expect(
        about.map(({ line, text }) => `${module.document}:${module.lines[line - 1]}: ${text}`),
      ).toEqual([]);
    });

    it(`${module.document}, ${module.name} runs`, async () => {
      const { code, errors } = await program(shop.pathOf(module));
      // a driver may have something to say on the error output of a run that succeeds
      expect({ code, errors: code === 0 ? "" : errors }).toEqual({ code: 0, errors: "" });
    });
  }

  it("that export an objective are checked, and a wrong one would be noticed", async () => {
    const certain = modules.find(({ name }) => name === "certain.ts")!;
    const { output } = await program(shop.pathOf(certain));
    expect(output).toContain("certain: 4 batches");
    const broken = { ...certain, name: "broken.ts", text: "throw new Error('on purpose');\n" };
    const { code, errors } = await program(shop.add(broken));
    expect(code).toBe(1);
    expect(errors).toContain("on purpose");
  });
});

describe("quotations", () => {
  for (const { document, line, file, text } of quotations) {
    it(`${document}:${line} is in ${file}`, () => {
      expect(unindented(readFileSync(root + file, "utf8"))).toContain(unindented(text));
    });
  }
});

describe("mistakes", () => {
  mistakes.forEach(({ module, message }, index) => {
    it(`${module.document}: the compiler says "${message.slice(0, 60)}…"`, () => {
      const about = messagesAbout(module.document, `mistake-${index}.ts`);
      expect(about.map(({ text }) => text)).toEqual([message]);
    });
  });
});
