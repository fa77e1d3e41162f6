// Code in the documentation as data. Every ```ts block of a document is one of three things: a module or the
// continuation of one (a block that begins with an import, or with its file name in a comment, starts a new module), a quotation from a file of the
// repository (```ts path/of/file.ts), or a mistake (```ts mistake) whose message stands in the ```text block after it.

/** A module of a document: its blocks one after the other. */
export interface Module {
  readonly document: string;
  /** File name, as the block's first comment gives it. */
  readonly name: string;
  /** Line of the document on which each line of the text stands, from 1. */
  readonly lines: readonly number[];
  readonly text: string;
}
export interface Quotation {
  readonly document: string;
  readonly line: number;
  readonly file: string;
  readonly text: string;
}
/** A module with one wrong piece at its end, and what the compiler says about that. */
export interface Mistake {
  readonly module: Module;
  readonly wrong: string;
  readonly message: string;
}
export interface Blocks {
  readonly modules: readonly Module[];
  readonly quotations: readonly Quotation[];
  readonly mistakes: readonly Mistake[];
}
interface Fence {
  readonly info: string;
  readonly line: number;
  readonly body: readonly string[];
}

/** The fenced blocks of a Markdown document, with the number of their first line of content. */
export function fencesOf(text: string): readonly Fence[] {
  const found: { info: string; line: number; body: string[] }[] = [];
  let open = false;
  text.split("\n").forEach((line, index) => {
    const fence = /^```(.*)$/.exec(line);
    if (fence === null) {
      if (open) found.at(-1)!.body.push(line);
      return;
    }
    if (!open) found.push({ info: fence[1]!.trim(), line: index + 2, body: [] });
    open = !open;
  });
  if (open) throw new Error(`the fence before line ${found.at(-1)!.line} is never closed`);
  return found;
}

/** Reads a document. Throws an Error where a block is none of the three. */
export function blocksOf(document: string, text: string): Blocks {
  const modules: { document: string; name: string; lines: number[]; text: string }[] = [];
  const quotations: Quotation[] = [];
  const mistakes: Mistake[] = [];
  const fences = fencesOf(text);
  fences.forEach(({ info, line, body }, position) => {
    const [language, ...rest] = info.split(/\s+/);
    if (language !== "ts") return;
    const content = `${body.join("\n")}\n`;
    const kind = rest.join(" ");
    const place = `${document}:${line}`;
    if (kind === "mistake") {
      const next = fences[position + 1];
      const module = modules.at(-1);
      if (next?.info !== "text" || module === undefined) {
        throw new Error(
          `${place}: a mistake needs a module before it and its message, in text, after it`,
        );
      }
      const message = next.body.map((part) => part.trim()).join(" ");
      mistakes.push({ module: { ...module, lines: [...module.lines] }, wrong: content, message });
    } else if (kind !== "") {
      quotations.push({ document, line, file: kind, text: content });
    } else {
      const named = /^\/\/ (\S+\.ts)$/.exec(body[0] ?? "")?.[1];
      if (named !== undefined || body[0]?.startsWith("import ") === true) {
        modules.push({ document, name: named ?? `block-${line}.ts`, lines: [], text: "" });
      }
      const module = modules.at(-1);
      if (module === undefined) throw new Error(`${place}: a module begins with an import`);
      module.text += content;
      module.lines.push(...body.map((_, index) => line + index), line + body.length);
    }
  });
  return { modules, quotations, mistakes };
}
