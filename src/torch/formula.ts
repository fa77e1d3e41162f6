// Writes expressions over statistics as lines of Python in the order of the formula. A term that is used once and is short
// stands where it is used; others get a name and a line. What is computed alike for every response is one line over all rows.

import { topological, type Node } from "../core/node.ts";
import { termWord } from "../core/words.ts";
import { guardsOf } from "./guards.ts";
import { helpers, type Helper } from "./helpers.ts";
import { describing, knownTerms, wordOf, type Namer } from "./names.ts";
import type { Writer } from "./operators.ts";
import { atom, infix, strengths, within, type Piece } from "./piece.ts";
import { rowsOf, stacking, type Family } from "./stack.ts";
import { termWriter } from "./term.ts";
import { usagesOf } from "./usage.ts";

/** What the lines need of the file around them. */
export interface Uses {
  readonly helpers: Set<Helper>;
  readonly modules: Set<string>;
  logsigmoid: boolean;
}
export interface FormulaOptions {
  /** The responses whose rows are handed over, in order. */
  readonly responses: readonly string[];
  readonly namer: Namer;
  /** The argument that a parameter, a state or an input is handed over by. */
  readonly argument: (node: Node) => string;
  /** The mask of the rows of completions or of prompts; null where lengths are handed over instead. */
  readonly mask: ((family: Family) => string) | null;
  /** One number for each row, as an expression. */
  readonly rows: string;
  /** Whether that is one number for each example, as no rows are handed over. */
  readonly perExample: boolean;
  /** A real tensor without axes in the type of the statistics, as an expression. */
  readonly unit: string;
  /** Names of terms that results are called by, such as "rewards/chosen". */
  readonly called: ReadonlyMap<Node, string>;
  /** Sums of an argument and a local value, which count only where none is given, by the argument's name. */
  readonly totals: ReadonlyMap<Node, string>;
  /** The one of these that is a count, so that 0 says that none is given. */
  readonly counted: string | undefined;
  readonly uses: Uses;
}
export interface Formula {
  readonly lines: readonly string[];
  /** The roots, in order. */
  readonly pieces: readonly Piece[];
}

/** Makes sure of a helper and gives its name. */
export function withHelper(name: Helper, uses: Uses): string {
  uses.helpers.add(name);
  for (const module of helpers[name].modules) uses.modules.add(module);
  return name;
}

/** Characters of a term that still stands where it is used. */
const longestInline = 72;
/** Characters of a result that still stands where it is returned. */
const longestResult = 150;
const isLeaf = ({ tag }: Node): boolean => tag === "const" || tag === "param" || tag === "input";
const isWord = ({ text }: Piece): boolean => /^-?\w+$/.test(text);

/** Writes the roots and everything below them. */
export function writeFormula(roots: readonly Node[], options: FormulaOptions): Formula {
  const { responses, namer, called, totals, uses, mask } = options;
  const order = topological(roots);
  const stack = stacking(order, responses);
  const known = knownTerms(responses);
  const ownLine = (node: Node): boolean => mask === null || (known.get(node)?.named ?? false);
  const usages = usagesOf(roots, order, stack, responses.length, mask !== null, ownLine);
  const lines: string[] = [];
  const line = (name: string, text: string, comment: string = ""): void => {
    lines.push(`${name} = ${text}${comment === "" ? "" : `  # ${comment}`}`);
  };

  /** Takes rows apart: a line that names those of single responses. */
  const apart = (
    { text, base, comment = "" }: { text: string; base: string; comment?: string },
    parts: ReadonlySet<string>,
  ): ReadonlyMap<string, string> => {
    const prompts = [...parts].some((part) => rowsOf(part) !== part);
    const own = responses.map((response) => (prompts ? `${response}.prompt` : response));
    const needed = own.filter((response) => parts.has(response));
    const endings = needed.map((response) => `_${wordOf(rowsOf(response))}`);
    const names = namer.family(base, endings);
    const nameOf = new Map(needed.map((response, position) => [response, names[position]!]));
    const targets = own.map((response) => nameOf.get(response) ?? "_").join(", ");
    line(targets, `torch.chunk(${text}, ${responses.length})`, comment);
    return nameOf;
  };

  let unitName: string | undefined;
  const writer: Writer = {
    real: (piece) => {
      if (piece.kind === "real") return piece;
      if (unitName === undefined) {
        unitName = namer.fresh("unit");
        lines.unshift(`${unitName} = ${options.unit}`);
      }
      return infix("*", strengths.product, piece, atom(unitName, "real"));
    },
    helper: (name) => withHelper(name, uses),
    logsigmoid: () => {
      uses.logsigmoid = true;
      return "logsigmoid";
    },
    named: (piece) => {
      if (isWord(piece)) return piece;
      const name = namer.fresh("x");
      line(name, piece.text);
      return atom(name, piece.kind);
    },
    math: () => {
      uses.modules.add("math");
      return "math";
    },
  };

  const maskParts = new Map<string, string>();
  if (mask !== null) {
    for (const [family, parts] of usages.masks) {
      const name = mask(family);
      line(name, `${name} > 0`);
      if (parts.size === 0 || responses.length < 2) continue;
      const [only, ...more] = parts;
      if (more.length === 0 && usages.maskUses(only!) < 3) {
        const position = responses.indexOf(rowsOf(only!));
        maskParts.set(only!, `torch.chunk(${name}, ${responses.length})[${position}]`);
        continue;
      }
      for (const [part, own] of apart({ text: name, base: name }, parts)) maskParts.set(part, own);
    }
  }

  /** What results call a term; rows of all responses go without the word for one of them. */
  const wordFor = (node: Node): string | undefined => {
    const full = called.get(node);
    if (full === undefined || stack.of(node) === undefined) return full;
    const end = `/${wordOf(rowsOf(stack.responseOf(node)!))}`;
    return full.endsWith(end) ? full.slice(0, -end.length) : full;
  };
  let here: string | null = null;
  /** A normaliser: the given one, or that of this call. */
  const totalLine = (node: Node, name: string): Piece => {
    const [, local] = node.args as unknown as readonly [Node, Node];
    const own = pieceOf(local, false);
    if (here === null && totals.size > 1) {
      here = namer.fresh("here");
      line(here, `${options.counted ?? name} == 0`, "whether this call is the whole batch");
    }
    line(name, `${name} + ${here ?? `(${name} == 0)`} * ${within(own, strengths.prefix)}`);
    return atom(name, own.kind === "real" ? "real" : "whole");
  };

  const pieces = new Map<string, Piece>();
  const pieceOf = (node: Node, whole: boolean): Piece => {
    const key = usages.keyOf(node);
    const inParts = stack.of(node) !== undefined && !whole;
    return pieces.get(inParts ? `${key} of ${stack.responseOf(node)!}` : key)!;
  };
  const write = termWriter({
    options,
    guards: guardsOf(roots),
    writer,
    pieceOf,
    contraction: usages.contraction,
    maskOf: (response, family, whole) =>
      (whole ? undefined : maskParts.get(response)) ?? mask!(family),
  });

  // what a result alone is made of stands in it
  const results = new Set(
    roots
      .slice(1)
      .map(usages.keyOf)
      .filter((key) => usages.of(key).users.size === 1),
  );
  for (const node of order) {
    const key = usages.keyOf(node);
    if (!usages.isWritten(node) || pieces.has(key)) continue;
    const { users, parts, whole } = usages.of(key);
    const total = totals.get(node);
    if (total !== undefined) {
      pieces.set(key, totalLine(node, total));
      continue;
    }
    const piece = write(node, stack.of(node) !== undefined);
    const word = known.get(node)?.name ?? termWord(node) ?? wordFor(node);
    const comment = known.get(node)?.comment ?? "";
    const inResult = [...users].every((user) => user.startsWith("root") || results.has(user));
    const long = piece.text.length > (inResult ? longestResult : longestInline);
    const wanted =
      users.size > 1 || long || (known.get(node)?.named ?? termWord(node) !== undefined);
    const naming = !isLeaf(node) && !isWord(piece) && wanted;
    const base = isLeaf(node) ? piece.text : (word ?? describing(node));
    const commented = naming && whole;
    if (commented) {
      const name = namer.fresh(base);
      line(name, piece.text, comment);
      pieces.set(key, atom(name, piece.kind));
    } else pieces.set(key, piece);
    if (parts.size === 0) continue;
    const [only, ...more] = parts;
    if (!commented && only !== undefined && more.length === 0 && users.size === 1) {
      const position = responses.indexOf(rowsOf(only));
      const text = `torch.chunk(${pieces.get(key)!.text}, ${responses.length})[${position}]`;
      pieces.set(`${key} of ${only}`, atom(text, piece.kind));
      continue;
    }
    const source = { text: pieces.get(key)!.text, base, comment: commented ? "" : comment };
    for (const [part, name] of apart(source, parts))
      pieces.set(`${key} of ${part}`, atom(name, piece.kind));
  }
  // a result is a tensor, whatever it is made of
  const written = roots
    .map((root) => pieceOf(root, false))
    .map((piece) => (piece.kind === "python" ? writer.real(piece) : piece));
  return withoutUnit({ lines, pieces: written }, unitName);
}

/** A unit that is used once stands where it is used. */
function withoutUnit({ lines, pieces }: Formula, unit: string | undefined): Formula {
  const [first, ...others] = lines;
  if (unit === undefined || first === undefined) return { lines, pieces };
  const used = new RegExp(`\\b${unit}\\b`, "g");
  const text = [...others, ...pieces.map((piece) => piece.text)].join("\n");
  if ((text.match(used) ?? []).length > 1) return { lines, pieces };
  const value = first.slice(`${unit} = `.length);
  return {
    lines: others.map((line) => line.replace(used, value)),
    pieces: pieces.map((piece) => ({ ...piece, text: piece.text.replace(used, value) })),
  };
}
