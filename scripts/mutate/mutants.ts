// Mutants of a source file: small changes of its text, each of which a test should notice. They are found in the syntax tree,
// so that types, imports, comments and messages stay as they are, and each is one replacement of a range of the text.
import { parse } from "@babel/parser";

export interface Mutant {
  /** Path from the root of the repository. */
  readonly file: string;
  readonly line: number;
  readonly from: number;
  readonly to: number;
  readonly text: string;
  /** What was there. */
  readonly original: string;
}

/** The parts of a syntax node that are looked at here. */
interface Syntax {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly loc: { readonly start: { readonly line: number } };
  readonly [part: string]: unknown;
}

const isSyntax = (value: unknown): value is Syntax =>
  typeof value === "object" && value !== null && "type" in value && "start" in value;

const exchanged: ReadonlyMap<string, string> = new Map(
  [
    ["+", "-"],
    ["*", "/"],
    ["<", "<="],
    [">", ">="],
    ["===", "!=="],
    ["&&", "||"],
    // operators of the calculus, by name
    ["plus", "minus"],
    ["times", "over"],
    ["exp", "expm1"],
    ["log", "log1p"],
    ["sigmoid", "logSigmoid"],
    ["gt", "ge"],
    ["lt", "le"],
    ["eq", "ne"],
    ["and", "or"],
    ["minimum", "maximum"],
    ["sum", "max"],
    ["order", "rank"],
    ["square", "abs"],
    // of JavaScript
    ["some", "every"],
    ["Math.max", "Math.min"],
    ["Math.exp", "Math.expm1"],
    ["Math.log", "Math.log1p"],
  ].flatMap(([a, b]) => [[a!, b!] as const, [b!, a!] as const]),
);

/** Functions of two operands of one type whose order matters, and the position of the first. */
const ordered: ReadonlyMap<string, number> = new Map([
  ["minus", 0],
  ["over", 0],
  ["pow", 0],
  ["share", 0],
  ["k.minus", 0],
  ["addForms", 0],
  ["forms.addForms", 0],
  ["binary", 1],
  ["select", 1],
  ["k.choose", 1],
]);
const commutative = new Set(["plus", "times", "minimum", "maximum", "eq", "ne", "and", "or"]);

/** Calls whose arguments are sentences or texts of shaders, which the specs of this run do not read. */
const silent = new Set(["fail", "call", "infix"]);
/** Properties that only generators of tests read, and texts. */
const unread = new Set(["domain", "wgsl", "code"]);

const isNumber = (node: unknown): boolean =>
  isSyntax(node) &&
  (node.type === "NumericLiteral" ||
    (node.type === "UnaryExpression" && isNumber(node["argument"])));

/** Subtrees that stay as they are. */
function isLeftAlone(node: Syntax): boolean {
  if (
    node.type.startsWith("TS") &&
    node.type !== "TSNonNullExpression" &&
    node.type !== "TSAsExpression" &&
    node.type !== "TSSatisfiesExpression"
  )
    return true;
  if (node.type === "ImportDeclaration" || node.type === "TemplateLiteral") return true;
  if (
    node.type === "ObjectProperty" &&
    isSyntax(node["key"]) &&
    unread.has(String(node["key"]["name"]))
  )
    return true;
  // an interval: the domain of a generator
  if (node.type === "ArrayExpression") {
    const elements = node["elements"] as readonly unknown[];
    return elements.length === 2 && elements.every(isNumber);
  }
  return (
    node.type === "CallExpression" &&
    isSyntax(node["callee"]) &&
    silent.has(String(node["callee"]["name"]))
  );
}

const listOf = (value: unknown): readonly Syntax[] =>
  Array.isArray(value) ? value.filter(isSyntax) : [];

/** All mutants of a text, in the order in which they stand. */
export function mutantsOf(file: string, text: string): readonly Mutant[] {
  const found: Mutant[] = [];
  const textOf = ({ start, end }: Syntax): string => text.slice(start, end);
  const add = (node: Syntax, by: string, at: { start: number; end: number } = node): void => {
    const original = text.slice(at.start, at.end);
    if (original === by) return;
    found.push({ file, line: node.loc.start.line, from: at.start, to: at.end, text: by, original });
  };
  const rename = (node: Syntax): void => {
    const other = exchanged.get(textOf(node));
    if (other !== undefined) add(node, other);
  };

  const change = (node: Syntax): void => {
    switch (node.type) {
      case "BinaryExpression":
      case "LogicalExpression": {
        const [left, right] = [node["left"], node["right"]] as [Syntax, Syntax];
        const operator = String(node["operator"]);
        const other = exchanged.get(operator);
        const between = { start: left.end, end: right.start };
        const gap = text.slice(between.start, between.end);
        if (other !== undefined) add(node, gap.replace(operator, other), between);
        if (["+", "-", "*", "&&", "||", "??"].includes(operator)) {
          add(node, textOf(left));
          if (operator !== "-") add(node, textOf(right));
        }
        return;
      }
      case "UnaryExpression":
        if (["-", "!"].includes(String(node["operator"])))
          add(node, textOf(node["argument"] as Syntax));
        return;
      case "NumericLiteral":
        add(node, String(Number(node["value"]) + 1));
        if (node["value"] === 1) add(node, "0");
        return;
      case "StringLiteral": {
        const other = exchanged.get(String(node["value"]));
        if (other !== undefined && /^\w/.test(other)) add(node, JSON.stringify(other));
        return;
      }
      case "IfStatement":
      case "ConditionalExpression":
        for (const value of ["true", "false"]) add(node["test"] as Syntax, value);
        return;
      case "CallExpression": {
        const callee = node["callee"] as Syntax;
        rename(callee);
        if (
          callee.type === "MemberExpression" &&
          ["some", "every"].includes(textOf(callee["property"] as Syntax))
        )
          rename(callee["property"] as Syntax);
        const first = ordered.get(textOf(callee));
        const list = listOf(node["arguments"]);
        const [a, b] = [list[first ?? 0], list[(first ?? 0) + 1]];
        const commutes =
          list[0]?.type === "StringLiteral" && commutative.has(String(list[0]["value"]));
        if (first !== undefined && !commutes && a !== undefined && b !== undefined)
          add(node, textOf(b) + text.slice(a.end, b.start) + textOf(a), {
            start: a.start,
            end: b.end,
          });
        return;
      }
      case "ObjectProperty":
      case "ReturnStatement":
        // a function given by name, such as the meaning Math.exp of an operator
        for (const part of ["value", "argument"]) {
          const value = node[part];
          if (isSyntax(value) && value.type === "MemberExpression") rename(value);
        }
        return;
      default:
    }
  };

  const visit = (node: Syntax): void => {
    if (isLeftAlone(node)) return;
    change(node);
    for (const part of Object.values(node)) {
      if (isSyntax(part)) visit(part);
      else for (const child of listOf(part)) visit(child);
    }
  };
  visit(
    parse(text, { sourceType: "module", plugins: ["typescript"] }).program as unknown as Syntax,
  );
  return found.toSorted((a, b) => a.from - b.from || a.to - b.to);
}

/** The text with the mutant in it. */
export const mutated = (text: string, { from, to, text: by }: Mutant): string =>
  text.slice(0, from) + by + text.slice(to);
