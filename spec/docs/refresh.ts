// Text in the documentation that a program printed. A marker before a fenced block says what is printed there;
// scripts/refresh-docs.ts writes it, and a test fails when it has become stale.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { blocksOf } from "./blocks.ts";
import { explained, program, workshop } from "./compile.ts";
import { excerpt } from "./excerpt.ts";
import { levels } from "./printed.ts";

type Texts = Readonly<Record<string, string>>;

const root = fileURLToPath(new URL("../../", import.meta.url));

export const read = (document: string): string => readFileSync(root + document, "utf8");

/** The explanation of the objective in a module of a document. */
async function explanationOf(document: string, name: string): Promise<string> {
  const { modules } = blocksOf(document, read(document));
  const shop = workshop(modules, []);
  try {
    return await explained(shop.pathOf(modules.find((module) => module.name === name)!));
  } finally {
    shop.remove();
  }
}

/** What the first module with such a name prints. */
async function outputOf(document: string, name: RegExp): Promise<string> {
  const { modules } = blocksOf(document, read(document));
  const shop = workshop(modules, []);
  try {
    const { code, output, errors } = await program(
      shop.pathOf(modules.find((module) => name.test(module.name))!),
    );
    if (code !== 0) throw new Error(errors);
    return output;
  } finally {
    shop.remove();
  }
}

const summary = (text: string): string => excerpt(text, /^value and gradient/, /^ {2}beside/);
const firstKernel = (text: string): string => excerpt(text, /^ {2}1\. /, /^$/);
const differentiated = (text: string): string => excerpt(text, /^differentiated/, /^$/);

/** The texts of each document that has markers, by the marker's name. */
const texts: Readonly<Record<string, () => Promise<Texts>>> = {
  "README.md": async () => ({ program: await outputOf("README.md", /^block/) }),
  "docs/tutorial.md": async () => {
    const text = await explanationOf("docs/tutorial.md", "certain.ts");
    return {
      explanation: `${summary(text)}\n\n${firstKernel(text)}\n…\n\n${differentiated(text)}`,
    };
  },
  "docs/how-it-works.md": async () => levels(),
};

/** The documents that have markers. */
export const marked: readonly string[] = Object.keys(texts);

/** A marker and the fenced block after it. */
const block = /(<!-- printed: (\w+) -->\n+```\w*\n)([^]*?)(\n?```)/g;

/** A document's text with the block after every marker replaced. Throws an Error for a marker that is missing or unknown. */
export async function refreshed(document: string, text: string = read(document)): Promise<string> {
  const printed = await texts[document]!();
  const names = [...text.matchAll(/<!-- printed: (\w+) -->/g)].map(([, name]) => name!);
  const missing = Object.keys(printed).filter((name) => !names.includes(name));
  if (missing.length > 0) throw new Error(`${document}: no marker for ${missing.join(", ")}`);
  const unknown = names.find((name) => printed[name] === undefined);
  if (unknown !== undefined) throw new Error(`${document}: nothing is printed for ${unknown}`);
  return text.replaceAll(
    block,
    (_, before: string, name: string) => `${before}${printed[name]!.trimEnd()}\n\`\`\``,
  );
}
