// The range of an option is the range of the run-time parameter of the same name, for every built-in objective: what the
// option refuses, no run takes.
import { describe, expect, it } from "vitest";
import { parameterValue } from "../../src/batch/params.ts";
import { topological, type Param } from "../../src/core/node.ts";
import { narrowed, type NumberRange } from "../../src/core/range.ts";
import {
  builtIn,
  builtIns,
  exoPair,
  mix,
  param,
  PrefcError,
  sft,
  type Objective,
  type OptionKind,
} from "../../src/index.ts";

const paramsOf = ({ loss, metrics }: Objective): readonly Param[] =>
  topological([loss, ...Object.values(metrics)]).filter(
    (node): node is Param => node.tag === "param" && node.kind === "param",
  );

const rangeOf = (kind: OptionKind): NumberRange | null => {
  if (typeof kind === "string" || Array.isArray(kind)) return null;
  return "listOf" in kind || "fits" in kind ? null : (kind as NumberRange);
};

describe("the ranges of options and of run-time parameters", () => {
  it.each(Object.keys(builtIns))("are the same: %s", (name) => {
    for (const node of paramsOf(builtIn(name))) {
      const kind = builtIns[name]!.options[node.name];
      const range = kind === undefined ? null : rangeOf(kind);
      if (range !== null) expect(node.range).toEqual(narrowed(range));
    }
  });

  it("refuse the same values", () => {
    for (const [name, { options }] of Object.entries(builtIns)) {
      const made = paramsOf(builtIn(name));
      for (const [option, kind] of Object.entries(options)) {
        const node = made.find((one) => one.name === option);
        if (node === undefined || rangeOf(kind) === null) continue;
        for (const value of [-3, -0.1, 0, 1e-300, 0.499, 0.5, 1, 7]) {
          const taken = (action: () => unknown): boolean => {
            try {
              action();
              return true;
            } catch (error) {
              expect(error).toBeInstanceOf(PrefcError);
              return false;
            }
          };
          const asOption = taken(() => builtIn(name, { [option]: value }));
          expect([
            name,
            option,
            value,
            taken(() => parameterValue(node, { [option]: value })),
          ]).toEqual([name, option, value, asOption]);
        }
      }
    }
  });

  it("name the parameter and what it may be", () => {
    const [ε] = paramsOf(exoPair()).filter(({ name }) => name === "label_smoothing");
    expect(() => parameterValue(ε!, { label_smoothing: 0 })).toThrow(
      'Parameter "label_smoothing" is 0; give a number above 0 and below 0.5.',
    );
  });

  it("are the stricter ones where a parameter is written twice", () => {
    const mine = mix({
      a: [sft(), param("c", 1, { above: 0, to: 4 })],
      b: [exoPair(), param("c", 1, { from: 0.5 })],
    });
    const [c] = paramsOf(mine).filter(({ name }) => name === "c");
    expect(c!.range).toEqual({ from: 0.5, to: 4 });
  });

  it("hold for a default", () => {
    expect(() => param("beta", -1, { above: 0 })).toThrow(
      'param "beta": the default is -1; give a number above 0.',
    );
    expect(() => param("beta", 1, { over: 0 } as never)).toThrow(/there is no option "over"/);
  });
});
