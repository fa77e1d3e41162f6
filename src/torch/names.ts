// Names of an emitted file. Names that a user chose may hold any characters, and Python's may not, so they are turned into
// identifiers, each once. Terms that papers and TRL have a word for are called by it; others by what they are.

import { tokenAxis } from "../core/axis.ts";
import { binary, count, input, reduce } from "../core/build.ts";
import { logpsInput, type ModelName } from "../core/inputs.ts";
import type { Node } from "../core/node.ts";

const reserved: ReadonlySet<string> = new Set(
  (
    "False None True and as assert async await break class continue def del elif else except finally for from global if " +
    "import in is lambda nonlocal not or pass raise return try while with yield torch math inspect functools difflib concurrent held " +
    "log1mexp power product quotient logsigmoid checked verify metrics mask prompt_mask shapes max min abs sum int float call known"
  ).split(" "),
);

/** A Python identifier near the text. */
function identifier(text: string): string {
  const plain = text
    .normalize("NFKD")
    .replaceAll(/[^A-Za-z0-9_]+/g, "_")
    .replaceAll(/^_+|_+$/g, "")
    .toLowerCase();
  const named = plain === "" ? "value" : /^\d/.test(plain) ? `_${plain}` : plain;
  return named.slice(0, 60);
}

/** Gives out identifiers, none of them twice. */
export interface Namer {
  readonly fresh: (text: string) => string;
  /** Several names that differ in their endings only. */
  readonly family: (text: string, endings: readonly string[]) => readonly string[];
}

export function namer(): Namer {
  const taken = new Set(reserved);
  const free = (base: string, endings: readonly string[]): string => {
    for (let n = 1; ; n++) {
      const name = n === 1 ? base : `${base}${n}`;
      if (endings.every((ending) => !taken.has(name + ending))) return name;
    }
  };
  const family = (text: string, endings: readonly string[]): readonly string[] => {
    const name = free(identifier(text), endings);
    const made = endings.map((ending) => name + ending);
    for (const one of made) taken.add(one);
    return made;
  };
  return { fresh: (text) => family(text, [""])[0]!, family };
}

/** TRL's words for the two responses of a pair. */
const words: Readonly<Record<string, string>> = { w: "chosen", l: "rejected" };

/** The word that a response's part of a tensor is called by. */
export const wordOf = (response: string): string =>
  Object.hasOwn(words, response) ? words[response]! : identifier(response);

/** A term with a word of its own, and how papers write it. */
export interface Known {
  readonly name: string;
  readonly comment: string;
  /** Whether it has a line of its own, however short it is. */
  readonly named: boolean;
}

const logpsOf = (model: ModelName, response: string): readonly Node[] => {
  const axis = tokenAxis(response);
  const each = input({ kind: "statistic", name: "log_probs", models: [model], response }, [
    "batch",
    axis,
  ]);
  return [reduce("sum", axis, each), logpsInput(model, response)];
};

/** The terms that have a word, whichever objective they are of; `order` is all that is written. */
export function knownTerms(responses: readonly string[]): ReadonlyMap<Node, Known> {
  const known = new Map<Node, Known>();
  const add = (node: Node, name: string, comment: string): void => {
    if (node.tag !== "input")
      known.set(node, { name, comment, named: name !== "lengths" && name !== "margin" });
  };
  const ratios = new Map<string, readonly Node[]>();
  for (const response of responses) {
    const [policy, ref] = [logpsOf("policy", response), logpsOf("ref", response)];
    for (const node of policy) add(node, "logps", "log π(y | x)");
    for (const node of ref) add(node, "ref_logps", "log π_ref(y | x)");
    const own = policy.flatMap((a) => ref.map((b) => binary("minus", a, b)));
    for (const node of own) add(node, "logratios", "log π(y | x) − log π_ref(y | x)");
    ratios.set(response, own);
    add(count(tokenAxis(response)), "lengths", "|y|");
  }
  const [first, second, ...others] = responses;
  if (first !== undefined && second !== undefined && others.length === 0) {
    for (const a of ratios.get(first)!) {
      for (const b of ratios.get(second)!) {
        add(binary("minus", a, b), "margin", "");
      }
    }
  }
  return known;
}

/** What a term is called that has no word: by its outermost operator. */
export function describing(node: Node): string {
  switch (node.tag) {
    case "unary":
      return node.op === "neg" || node.op === "toReal" ? describing(node.args[0]) : node.op;
    case "binary":
      return {
        plus: "total",
        minus: "difference",
        times: "term",
        over: "ratio",
        pow: "power",
        minimum: "least",
        maximum: "most",
        gt: "above",
        ge: "at_least",
        lt: "below",
        le: "at_most",
        eq: "equal",
        ne: "unequal",
        and: "both",
        or: "either",
        clampedExp: "exp",
      }[node.op];
    case "select":
      return "choice";
    case "reduce":
      return { sum: "sums", max: "maxima", logSumExp: "log_sums" }[node.op];
    case "sort":
      return node.op;
    case "stop":
      return describing(node.args[0]);
    case "at":
      return "picked";
    case "iota":
      return "position";
    case "count":
      return "count";
    case "const":
    case "param":
    case "input":
      return "value";
  }
}
