// How hyper-parameters of recorded files are read: each key by what its table says of it, and no key without being asked.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  choice,
  fixed,
  flag,
  nested,
  option,
  param,
  params,
  readSettings,
  unused,
  type Keys,
} from "../../src/conform/keys.ts";
import { errorOf } from "./support.ts";

const keys: Keys = {
  beta: param("beta", 0.1),
  epsilon: param("label_smoothing"),
  weights: params("first", "second"),
  clamp: option("clamp", [
    ["max=1", "product"],
    [1, "product"],
    [false, "none"],
  ]),
  alignment: choice("alignment", "sampled", "greedy"),
  stop: flag("stop"),
  loss_type: fixed("sigmoid"),
  losses: fixed(["sigmoid", "sft"]),
  nothing: fixed(null),
  seed: unused("not part of the loss"),
  inner: nested({ tau: param("tau", 2), deep: nested({ on: flag("on") }) }),
};

const read = (value: unknown): ReturnType<typeof readSettings> =>
  readSettings(keys, { file: "f.json", path: "params", value });
const refusal = (value: unknown): string => errorOf(() => read(value)).message;

describe("a hyper-parameter", () => {
  it("is a run-time parameter, an option, or nothing to the loss", () => {
    expect(
      read({
        beta: 0.5,
        epsilon: 0.2,
        weights: [3, 4],
        clamp: 1,
        alignment: "greedy",
        stop: true,
        loss_type: "sigmoid",
        losses: ["sigmoid", "sft"],
        seed: {},
        inner: { tau: 7, deep: { on: false } },
      }),
    ).toEqual({
      params: { beta: 0.5, label_smoothing: 0.2, first: 3, second: 4, tau: 7 },
      options: { clamp: "product", alignment: "greedy", stop: true, on: false },
    });
  });

  it("has the source's default when it is absent or null, however deep", () => {
    const defaults = { params: { beta: 0.1, tau: 2 }, options: {} };
    expect(read({})).toEqual(defaults);
    expect(read({ beta: null, inner: null, nothing: null })).toEqual(defaults);
    expect(read({ inner: { tau: null } })).toEqual(defaults);
  });

  it.each<readonly [unknown, string]>([
    [[], "params must be an object, but is an array of 0."],
    [
      { beta: "big" },
      'params.beta must be a number, or one of "NaN", "Infinity" and "-Infinity", but is "big".',
    ],
    [{ beta: "Infinity" }, 'params.beta must be a finite number, but is "Infinity".'],
    [
      { beta: [1] },
      'params.beta must be a number, or one of "NaN", "Infinity" and "-Infinity", but is an array of 1.',
    ],
    [{ weights: [1] }, "params.weights must be an array of 2, but is an array of 1."],
    [{ weights: 1 }, "params.weights must be an array, but is 1."],
    [{ clamp: true }, 'params.clamp must be one of "max=1", 1, false, but is true.'],
    [{ alignment: "none" }, 'params.alignment must be one of "sampled", "greedy", but is "none".'],
    [
      { loss_type: "hinge" },
      'params.loss_type must be "sigmoid" for this objective, but is "hinge".',
    ],
    [
      { losses: ["sft", "sigmoid"] },
      'params.losses must be ["sigmoid","sft"] for this objective, but is an array of 2.',
    ],
    [{ nothing: 0.5 }, "params.nothing must be null for this objective, but is 0.5."],
    [{ inner: 3 }, "params.inner must be an object, but is 3."],
    [
      { inner: { deep: { on: "no" } } },
      'params.inner.deep.on must be one of true, false, but is "no".',
    ],
  ])("must have a value that fits: %j", (value, sentence) => {
    expect(refusal(value)).toBe(`f.json: ${sentence}`);
  });

  it("must be known, wherever it stands", () => {
    expect(refusal({ betta: 1 })).toBe(
      `f.json: params.betta is not a hyper-parameter that this objective is known to have (${Object.keys(keys).join(", ")}); say what it means in src/conform/families. Did you mean "beta"?`,
    );
    expect(refusal({ inner: { deep: { off: true } } })).toMatch(
      /^f\.json: params\.inner\.deep\.off is not a hyper-parameter .* \(on\)/,
    );
    expect(refusal(JSON.parse('{"__proto__": {"beta": 1}}'))).toMatch(
      /^f\.json: params\.__proto__ is not a hyper-parameter/,
    );
  });

  it("is never ignored: any other key is refused by name", () => {
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), (key, value) => {
        fc.pre(!Object.hasOwn(keys, key));
        const document = Object.defineProperty({ beta: 1 }, key, { value, enumerable: true });
        expect(errorOf(() => read(document))).toMatchObject({ code: "golden-unknown-parameter" });
      }),
    );
  });
});
