// Reads TypeScript sources for the tests about the architecture. A file is split into code, comments and the contents of
// strings, because a word in a comment is no use of the thing it names, and `from "w"` in a message is no import.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A source text with everything but code blanked out, at unchanged positions. */
export type Blanked = {
  /** Comments replaced by spaces. */
  readonly code: string;
  /** Comments and the contents of strings, templates and regular expressions replaced by spaces; quotes remain. */
  readonly bare: string;
};

const comment = String.raw`\/\/[^\n]*|\/\*[\s\S]*?\*\/`;
const quoted = String.raw`"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*'`;
// One level of `${…}` with plain templates in it is as deep as this project writes them.
const inner = "`(?:[^`\\\\]|\\\\[\\s\\S])*`";
const hole = String.raw`\$\{(?:[^{}` + "`" + String.raw`]|\{[^{}]*\}|${inner})*\}`;
const template = "`(?:" + hole + "|[^`\\\\]|\\\\[\\s\\S])*`";
// A slash opens a regular expression where no operand can have ended before it.
const regularExpression = String.raw`(?<=(?:^|[(,=:[!&|?{};]|=>|\breturn)\s*)\/(?![/*])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/`;

const pieces = new RegExp([comment, quoted, template, regularExpression].join("|"), "g");

const spaces = (text: string): string => text.replaceAll(/[^\n]/g, " ");

const inside = (text: string): string => text[0] + spaces(text.slice(1, -1)) + text.at(-1);

// Expressions in a template are code, so only the text around them is blanked.
const insideTemplate = (text: string): string => {
  const holes = [...text.matchAll(new RegExp(hole, "g"))];
  let blanked = inside(text);
  for (const { 0: found, index } of holes) {
    blanked = blanked.slice(0, index) + blank(found).bare + blanked.slice(index + found.length);
  }
  return blanked;
};

/** Blanks a text's comments and strings, keeping each remaining character where it was. */
export const blank = (text: string): Blanked => {
  const isComment = (piece: string): boolean => piece.startsWith("//") || piece.startsWith("/*");
  return {
    code: text.replaceAll(pieces, (piece) => (isComment(piece) ? spaces(piece) : piece)),
    bare: text.replaceAll(pieces, (piece) => {
      if (isComment(piece)) return spaces(piece);
      return piece.startsWith("`") ? insideTemplate(piece) : inside(piece);
    }),
  };
};

/** One import or re-export: its specifier, whether it names types only, and whether it runs when the module loads. */
export type Import = {
  readonly specifier: string;
  readonly typesOnly: boolean;
  readonly dynamic: boolean;
};

const importStart =
  /\b(?:import|export)\b(?<type>\s+type\b)?(?:[^;"'`()]*?\bfrom)?\s*(?<call>\()?\s*["'`]/g;

/** Every import in a text, in order: static, for its effect only, re-exported, and dynamic. */
export const importsOf = (text: string): readonly Import[] => {
  const { bare } = blank(text);
  return [...bare.matchAll(importStart)].map((match) => {
    const start = match.index + match[0].length;
    const end = bare.indexOf(bare.charAt(start - 1), start);
    return {
      specifier: text.slice(start, end),
      typesOnly: match.groups?.["type"] !== undefined,
      dynamic: match.groups?.["call"] !== undefined,
    };
  });
};

/** The words of a piece of code: identifiers and string contents taken apart at case changes, digits and signs. */
export const wordsOf = (code: string): ReadonlySet<string> =>
  new Set((code.match(/[A-Z]?[a-z]+|[A-Z]+(?![a-z])/g) ?? []).map((word) => word.toLowerCase()));

/** A file under src: its path relative to src, with forward slashes, and its text. */
export type Source = { readonly path: string; readonly text: string };

const root = fileURLToPath(new URL("../../src/", import.meta.url));

/** Every TypeScript file under src that people write; generated ones answer to their generator. */
export const sources = (): readonly Source[] =>
  readdirSync(root, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".generated.ts"))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(root + path, "utf8") }));
