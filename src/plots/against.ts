// What a loss may be drawn against: the margin, log π of the chosen response, its length, the probability of its tokens, or a
// parameter. Each says what is held fixed.

import type { Params } from "../batch/batch.ts";
import { fail } from "../core/error.ts";
import { didYouMean, listNames } from "../core/names.ts";
import { topological, type Node, type Param } from "../core/node.ts";
import { cite } from "../core/quote.ts";
import type { Against, Pair } from "./sweep.ts";

/** Tokens in every response and prompt, and log π of each token, where nothing else is said. */
export const tokens = 20;
const perToken = -3;
/** log π of a response of so many tokens. */
export const level: number = tokens * perToken;

const even = { w: level, l: level };
const lengths = { w: tokens, l: tokens };
const steps = (from: number, to: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, n) => from + ((to - from) * n) / (count - 1));
const chosen = (w: number): Pair => ({ policy: { w, l: level }, others: even, lengths });
const rest = `log π of the rejected response and those of the reference are ${level}, ${perToken} for each of ${tokens} tokens`;

type Kind = "margin" | "logp" | "length" | "probability";
/** The margin of a pair where only a parameter changes. */
const someMargin = 4;
/** log π of each token of the policy where lengths change. */
const likelier = -2.8;

const kinds: Readonly<Record<Kind, Omit<Against, "params">>> = {
  margin: {
    axis: "margin Δ = h(y_w) − h(y_l)",
    positions: steps(-40, 40, 161),
    pair: (margin) => ({
      policy: { w: level + margin / 2, l: level - margin / 2 },
      others: even,
      lengths,
    }),
    fixed: `log π of both responses are ${level} + Δ/2 and ${level} − Δ/2, those of the reference ${level}; each has ${tokens} tokens`,
  },
  logp: {
    axis: "log π(y_w)",
    positions: steps(-120, -2, 119),
    pair: chosen,
    fixed: rest,
  },
  length: {
    axis: "tokens of y_w",
    positions: steps(1, 80, 80),
    pair: (count) => ({
      policy: { w: likelier * count, l: likelier * tokens },
      others: { w: perToken * count, l: level },
      lengths: { w: count, l: tokens },
    }),
    fixed: `log π is ${likelier} for each token, that of the reference ${perToken}; the rejected response has ${tokens} tokens`,
  },
  probability: {
    axis: "π(y_t) of each token of y_w",
    positions: steps(0.01, 0.99, 99),
    pair: (p) => chosen(tokens * Math.log(p)),
    fixed: rest,
  },
};

/** What --against may say. */
export const againstHelp: string = [...Object.keys(kinds), "param:NAME"].join(", ");

/** The parameters of expressions. */
const paramsOf = (roots: readonly Node[]): readonly Param[] =>
  topological(roots).filter((node): node is Param => node.tag === "param" && node.kind === "param");

/** Reads what curves are drawn against. @throws PrefcError "option-value" */
export function againstOf(text: string, losses: readonly Node[], params: Params): Against {
  const [, name] = /^param:(.*)$/s.exec(text) ?? [];
  if (name === undefined) {
    if (!Object.hasOwn(kinds, text)) {
      return fail(
        "option-value",
        `--against is ${cite(text)}; choose ${listNames([...Object.keys(kinds), "param:NAME"])}.${didYouMean(text, Object.keys(kinds))}`,
      );
    }
    return { ...kinds[text as Kind], params: () => params };
  }
  const known = losses.map((loss) => paramsOf([loss]));
  const found = known.map((some) => some.find((param) => param.name === name));
  const [first] = found;
  if (first === undefined || found.includes(undefined)) {
    const names = [...new Set(known.flatMap((some) => some.map((param) => param.name)))];
    return fail(
      "option-value",
      `--against is ${cite(text)}, but ${names.length === 0 ? "the objective has no parameter" : `the parameters are ${listNames(names)}, and each objective must have it`}; choose one.${didYouMean(name, names)}`,
    );
  }
  const { from, above, to, below } = first.range as Readonly<Record<string, number | undefined>>;
  const usual = params[name] ?? first.initial ?? 1;
  const size = usual === 0 ? 1 : Math.abs(usual);
  const count = 121;
  const least = from ?? (above === undefined ? usual - 4 * size : above + size / 50);
  const most = to ?? (below === undefined ? Math.max(least, 0) + 5 * size : below - size / 50);
  return {
    axis: name,
    positions: steps(least, most, count),
    pair: () => kinds.margin.pair(someMargin),
    params: (value) => ({ ...params, [name]: value }),
    fixed: `the margin is ${someMargin}; ${kinds.margin.fixed}`,
  };
}
