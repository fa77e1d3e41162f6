// Names that a user chooses, at their worst: either a sentence that repeats them safely, or an objective that compiles to the
// very same kernels as under plain names, prints and parses back, and can be explained.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "../../src/core/parse.ts";
import { print } from "../../src/core/print.ts";
import { topological } from "../../src/core/node.ts";
import { cite, mention, quote, titled } from "../../src/core/quote.ts";
import { explanationText } from "../../src/explain/text.ts";
import {
  compile,
  evaluate,
  exp,
  fromResponses,
  logPi,
  logSigmoid,
  mean,
  mix,
  dpo,
  neg,
  objective,
  param,
  PrefcError,
  sigmoid,
  state,
  stopGrad,
  sum,
  type Compiled,
  type Objective,
} from "../../src/index.ts";
import { hostileName, hostileNames, isOneSafeLine, refusedNames } from "../support/hostile.ts";

const about = { source: "written for this test" };

/** An objective with every kind of name; all of them are made of one. */
const under = (title: string, base: string): Objective => {
  const name = (ending: string): string => `${base.slice(0, 190)}${ending}`;
  const [w, l, kept] = [base, name(" l"), name(" s")];
  return objective(
    title,
    [w, l],
    (g) => {
      const [a, b] = [g.y[w]!, g.y[l]!];
      const ratio = (y: typeof a) => g.policy.logps(y).minus(g.ref.logps(y));
      const bonus = sum(
        "token",
        sum("vocab", sigmoid(g.policy.logits(a))).times(g.tokens(base, a)),
      );
      const entropy = mean(
        "token",
        sum("vocab", exp(logPi(g.policy, b)).times(logPi(g.policy, b))),
      );
      const before = state(kept, 0);
      const loss = neg(logSigmoid(param(base, 0.1).times(ratio(a).minus(ratio(b)).minus(before))));
      return {
        loss: loss.plus(stopGrad(bonus)).plus(g.example(base).times(entropy)),
        metrics: { [`m ${name("")}`]: bonus, [`n ${name("")}`]: entropy },
        next: { [kept]: mean("batch", entropy) },
      };
    },
    about,
  );
};
const plain = under("plain", "w");
const texts = (compiled: Compiled): readonly string[] =>
  compiled.plan("valueAndGrad", 12).steps.flatMap(({ kernel, wgsl }) => [kernel.name, wgsl]);
const expected = texts(compile(plain));

function survives(name: string): void {
  const given = under(name, name);
  const compiled = compile(given);
  expect(texts(compiled), quote(name)).toEqual(expected);

  const roots = { [name]: given.loss, ...given.metrics, ...given.next };
  const text = print(roots);
  const lines = text.trimEnd().split("\n");
  expect(lines).toHaveLength(topological(Object.values(roots)).length + Object.keys(roots).length);
  expect(lines.find((line) => !isOneSafeLine(line))).toBeUndefined();
  const back = parse(text);
  expect(Object.keys(back)).toEqual(Object.keys(roots));
  for (const [key, node] of Object.entries(roots)) expect(back[key]).toBe(node);

  const explanation = compiled.explain();
  expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation);
  const explained = explanationText(explanation).split("\n");
  expect(explained.find((line) => !isOneSafeLine(line))).toBeUndefined();
}

describe("at least 500 hostile names", () => {
  it("are there", () => {
    expect(hostileNames.length).toBeGreaterThanOrEqual(500);
    expect(hostileNames.every((name) => name.length >= 1 && name.length <= 200)).toBe(true);
  });

  it("compile to the same kernels, are printed and parsed back, and explained on lines of their own", () => {
    for (const name of hostileNames) survives(name);
  });

  it("do so in pieces and at random, too", () => {
    fc.assert(fc.property(hostileName, survives), { numRuns: 60 });
  });
});

const thrown = (act: () => unknown): PrefcError => {
  try {
    act();
  } catch (error) {
    if (error instanceof PrefcError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
};
const bringing = (name: string): Parameters<typeof fromResponses>[0] => ({
  [name]: { labels: [[1]], policy_logits: [[0, 1]], ref_logits: [[0, 1]] },
});
const reading = (name: string): Objective =>
  objective(
    name,
    [name],
    ({ policy, y, example }) => policy.logps(y[name]!).times(param(name)).times(example(name)),
    about,
  );

/** Mistakes around a name, each of which ends in a sentence that repeats it. */
const mistakes: Readonly<Record<string, (name: string) => unknown>> = {
  "a parameter without a value": (name) =>
    evaluate([param(name).node], fromResponses(bringing(name)), {}),
  "a response that is not there": (name) =>
    evaluate([reading(name).loss], fromResponses(bringing("other ")), { [name]: 1 }),
  "an input that is not there": (name) =>
    evaluate([reading(name).loss], fromResponses(bringing(name)), { [name]: 1 }),
  "a default that is infinite": (name) => param(name, Infinity),
  "a state that is never left": (name) =>
    objective(name, ["w"], ({ policy, y }) => policy.logps(y.w).times(state(name, 0)), about),
  "a response that is declared twice": (name) =>
    objective(name, [name, name], () => param("a", 1), about),
  "tokens that are left over": (name) =>
    objective(name, [name], ({ policy, y }) => policy.logp(y[name]!) as never, about),
  "lengths that are missing": (name) =>
    fromResponses({ [name]: { labels: [1], policy_logits: [[0, 1]] } }),
  "a label that is too large": (name) =>
    fromResponses({ [name]: { labels: [[7]], policy_logits: [[0, 1]] } }),
  "an example that is too short": (name) =>
    fromResponses(bringing("w"), { examples: { [name]: [] } }),
  "a height that is none": (name) => compile(dpo(), { heights: { policy: name as never } }),
  "a part of a mixture": (name) =>
    mix(
      Object.fromEntries([
        [name, 1 as never],
        ["b", 2 as never],
      ]),
    ),
};

describe("a sentence that repeats a hostile name", () => {
  it.each(Object.entries(mistakes))("is one line, in which nothing is unseen: %s", (_, mistake) => {
    for (const name of hostileNames) {
      const { message } = thrown(() => mistake(name));
      expect(isOneSafeLine(message), message).toBe(true);
      expect(message.length).toBeLessThan(8000);
      const beginning = quote(`.${name.slice(0, 50)}`).slice(2, -1);
      const first = quote(name.slice(0, 50)).slice(1, -1);
      expect(
        [beginning, first].some((piece) => message.includes(piece)),
        message,
      ).toBe(true);
    }
  });

  it("refuses what is no name", () => {
    for (const name of refusedNames) {
      const { code, message } = thrown(() =>
        objective(name as string, ["w"], ({ policy, y }) => policy.logps(y.w), about),
      );
      expect(code).toMatch(/^name-/);
      expect(isOneSafeLine(message)).toBe(true);
      expect(message.length).toBeLessThan(200);
    }
  });
});

describe("a name in text", () => {
  it("is read back from its quotation, whatever it is", () => {
    fc.assert(
      fc.property(hostileName, (name) => {
        expect(JSON.parse(quote(name))).toBe(name);
        for (const text of [quote(name), cite(name), mention(name), titled(name)])
          expect(isOneSafeLine(text)).toBe(true);
        expect(quote(name)).not.toMatch(/\*\/|\/\*|"\p{M}/u);
      }),
    );
  });

  it("is cut where it is long, and says so", () => {
    expect(cite("x".repeat(201))).toBe(`"${"x".repeat(200)}"…`);
    expect(titled("x".repeat(201))).toBe(`${"x".repeat(200)}…`);
    expect(mention("a.b/c-1")).toBe("a.b/c-1");
    expect(mention("a b")).toBe('"a b"');
    expect(cite({ toString: 1 })).toBe("an object");
  });
});
