// Finds the statistics of an expression: the terms that are one number per row of logits, each under the widest name that it
// has. A term is known by its node, or by the normal form that kernels are made from, so that spellings do not matter.

import { isTokenAxis, responseOf } from "../core/axis.ts";
import { binary, constant, unary } from "../core/build.ts";
import { fail, PrefcError } from "../core/error.ts";
import { printExpression } from "../core/infix.ts";
import type { ModelName } from "../core/inputs.ts";
import { topological, type Node } from "../core/node.ts";
import { simplify } from "../rewrite/simplify.ts";
import { derive } from "../stream/derive.ts";
import { logitsOfInput } from "../stream/fields.ts";
import { templates } from "./named.ts";
import { anyResponse, relabelled } from "./relabel.ts";

/** A term that a statistic stands for. */
export interface Found {
  readonly name: string;
  readonly formula: string;
  readonly models: readonly ModelName[];
  readonly response: string;
  /** The expression over logits that the statistic is. */
  readonly definition: Node;
  /** What the term is, given the statistic. */
  readonly value: (statistic: Node) => Node;
}

/** The models below the roots: the policy, the reference, and others by name. */
function modelsBelow(roots: readonly Node[]): readonly ModelName[] {
  const read = new Set(topological(roots).flatMap((one) => logitsOfInput(one)?.model ?? []));
  const others = [...read].filter((model) => model !== "policy" && model !== "ref").toSorted();
  return ["policy", "ref", ...others];
}
const itself = (node: Node): Node => node;
const negated = (node: Node): Node => unary("neg", node);
const exponential = (node: Node): Node => unary("exp", node);
const inside = (node: Node): Node => (node.tag === "unary" ? node.args[0] : node);

/** The formula with the models' own letters: π is the policy, π_ref the reference. */
function written(formula: string, model: ModelName, other: ModelName | undefined): string {
  const letter = (of: ModelName): string => (of === "policy" ? "π" : `π_${of}`);
  return formula.replaceAll(/π(′?)/g, (_, mark: string) => letter(mark === "" ? model : other!));
}

/** Statistics of two models are called by the one that is not the policy; the reference after it has no word. */
function nameOf(name: string, model: ModelName, other: ModelName | undefined): string {
  if (other === undefined || (model === "policy" && other === "ref")) return name;
  return model === "policy" ? `${name}_to_${other}` : `${name}_${model}`;
}

/** Every named statistic of a response. */
function namedOf(response: string, all: readonly ModelName[]): readonly Found[] {
  const others = all.filter((model) => model !== "policy");
  const pairs = others.flatMap((model) => [["policy", model] as const, [model, "policy"] as const]);
  return templates.flatMap(({ name, formula, models, of }) =>
    (models === 2 ? pairs : all.map((model) => [model, undefined] as const)).map(
      ([model, other]): Found => ({
        name: nameOf(name, model, other),
        formula: written(formula, model, other),
        models: other === undefined ? [model] : [model, other],
        response,
        definition: of(response, model, other ?? model),
        value: itself,
      }),
    ),
  );
}

/** A term in the normal form that kernels are made from; null where it has none. Equal terms are one node in it. */
function normalForm(node: Node): Node | null {
  try {
    return simplify(derive(simplify([node]).roots, []).rows).roots[0]!;
  } catch (error) {
    if (error instanceof PrefcError) return null;
    throw error;
  }
}

const isAlongVocabulary = (node: Node): boolean => node.axes.includes("vocab");
/** Whether a node is one number per row, made of numbers along the vocabulary. */
const isFrontier = (node: Node): boolean =>
  !isAlongVocabulary(node) && node.args.some(isAlongVocabulary);

function responseOfTerm(node: Node): string {
  const axis = node.axes.find(isTokenAxis);
  return axis === undefined
    ? fail(
        "emit-beyond-a-row",
        `${printExpression(node, 16)} reduces the vocabulary and belongs to no token of a response; let it read the logits of a response.`,
      )
    : responseOf(axis);
}

/** Operators of a term on the rows that is compared with the named ones; longer terms are looked at in parts. */
const mostOperators = 8;

/** The nodes that may be another spelling of a named statistic: short, on one row, and with nothing in them held constant. */
function comparable(order: readonly Node[]): ReadonlySet<Node> {
  const held = new Set<Node>();
  const operators = new Map<Node, number>();
  const result = new Set<Node>();
  for (const node of order) {
    if (node.tag === "stop" || node.args.some((arg) => held.has(arg))) held.add(node);
    const own = isAlongVocabulary(node)
      ? 0
      : node.args.reduce((total, arg) => total + operators.get(arg)!, 1);
    operators.set(node, own);
    const onRow = !isAlongVocabulary(node) && node.axes.some(isTokenAxis) && node.dtype === "f32";
    if (onRow && own <= mostOperators && !held.has(node)) result.add(node);
  }
  return result;
}

/** Finds the statistics below the roots: the terms that are one number per token and that no wider named term covers. */
export function findStatistics(
  roots: readonly Node[],
  responses: readonly string[],
): ReadonlyMap<Node, Found> {
  const all = modelsBelow(roots);
  const byResponse = new Map(responses.map((response) => [response, namedOf(response, all)]));
  const byNode = new Map(
    [...byResponse.values()].flat().map((one) => [one.definition, one] as const),
  );
  const forms = new Map<string, ReadonlyMap<Node, Found>>();
  const formsOf = (response: string): ReadonlyMap<Node, Found> => {
    const known = forms.get(response);
    if (known !== undefined) return known;
    // the first name of several for one form is kept
    const made = new Map<Node, Found>();
    const add = (node: Node, one: Found, value: Found["value"]): void => {
      const form = normalForm(node);
      if (form !== null && !made.has(form)) made.set(form, { ...one, value });
    };
    const named = byResponse.get(response) ?? [];
    for (const one of named) add(one.definition, one, itself);
    for (const one of named) {
      add(negated(one.definition), one, negated);
      // what stands under a logarithm is the exponential of it
      const { definition } = one;
      const isLog = definition.tag === "unary" && definition.op === "log";
      add(isLog ? inside(definition) : exponential(definition), one, exponential);
    }
    forms.set(response, made);
    return made;
  };
  const nameless = new Map<Node, string>();
  const unnamed = (node: Node): Found => {
    const response = responseOfTerm(node);
    const template = relabelled([node], response, anyResponse).get(node)!;
    const name = nameless.get(template) ?? `statistic${nameless.size + 1}`;
    nameless.set(template, name);
    const models = new Set(topological([node]).flatMap((one) => logitsOfInput(one)?.model ?? []));
    if (node.dtype === "i32")
      return fail(
        "emit-beyond-a-row",
        `${printExpression(node, 16)} is a whole number of each token, and only real numbers and yes or no are handed out; make a real number of it with real(…).`,
      );
    // yes or no is handed out as 1 or 0
    const flag = node.dtype === "bool";
    return {
      name,
      formula: printExpression(node, 40),
      models: all.filter((model) => models.has(model)),
      response,
      definition: flag ? unary("toReal", node) : node,
      value: flag ? (statistic) => binary("gt", statistic, constant(0.5)) : itself,
    };
  };
  const order = topological(roots);
  const short = comparable(order);
  const below = new Set<Node>();
  for (const node of order) {
    if (isAlongVocabulary(node) || node.args.some((arg) => below.has(arg))) below.add(node);
  }
  const terms = new Map<Node, Found>();
  const seen = new Set<Node>();
  const stack = [...roots].toReversed();
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (seen.has(node) || !below.has(node)) continue;
    seen.add(node);
    const form = byNode.has(node) || !short.has(node) ? null : normalForm(node);
    const named =
      byNode.get(node) ?? (form === null ? undefined : formsOf(responseOfTerm(node)).get(form));
    if (named !== undefined) terms.set(node, named);
    else if (isFrontier(node)) terms.set(node, unnamed(node));
    else stack.push(...node.args.toReversed());
  }
  return terms;
}
