// Finding built-in objectives by name, and what is said about names, options and values that do not exist.

import { describe, expect, it } from "vitest";
import { isObjective } from "../../src/dsl/index.ts";
import { builtIn, builtIns, dpo, withWeighting, none, wpo } from "../../src/objectives/index.ts";
import { any, describeMisuses } from "../dsl/misuse.ts";

describe("the catalogue", () => {
  it.each(Object.keys(builtIns))("%s is an objective with a source and a summary", (name) => {
    const made = builtIn(name);
    expect(isObjective(made)).toBe(true);
    expect(made.name).toBe(name);
    expect(made.source).not.toBe("");
    expect(builtIns[name]!.summary).not.toBe("");
  });

  it("passes options on", () => {
    expect(builtIn("dpo", { beta: 0.7 }).loss).toBe(dpo({ beta: 0.7 }).loss);
    expect(builtIn("wpo", { alignment: "greedy", stop: false, clamp: "each" }).loss).toBe(
      wpo({ alignment: "greedy", stop: false, clamp: "each" }).loss,
    );
  });

  it("names the options that each objective accepts", () => {
    expect(Object.keys(builtIns["wpo"]!.options)).toEqual(
      expect.arrayContaining([
        "beta",
        "label_smoothing",
        "alignment",
        "stop",
        "clamp",
        "responses",
      ]),
    );
  });
});

describeMisuses("a wrong name or option", [
  [
    "a near miss",
    "unknown-objective",
    /^there is no built-in objective "dop"; there are "dpo", "wpo", .* and ".*"\. Did you mean "dpo"\?$/,
    () => builtIn("dop"),
  ],
  [
    "something else",
    "unknown-objective",
    /"wpo", .* and "[^"]*"\.$/,
    () => builtIn("reinforcement"),
  ],
  ["a name from Object.prototype", "unknown-objective", /"toString"/, () => builtIn("toString")],
  [
    "an option's near miss",
    "unknown-option",
    /^dpo: there is no option "bta"; the options are "beta" and "label_smoothing"\. Did you mean "beta"\?/,
    () => builtIn("dpo", { bta: 1 }),
  ],
  [
    "an option of another objective",
    "unknown-option",
    /^dpo: there is no option "clamp"/,
    () => dpo(any({ clamp: "each" })),
  ],
  [
    "an option that the likelihood has not",
    "unknown-option",
    /^sft: there is no option "beta"; the options are "ignore_index" and "as_of"\.$/,
    () => builtIn("sft", { beta: 1 }),
  ],
  [
    "a word that is not offered",
    "option-value",
    /^wpo: the option alignment is the string "gredy"; give one of "sampled", "greedy" and "none"/,
    () => builtIn("wpo", { alignment: "gredy" }),
  ],
  [
    "a number as text",
    "option-value",
    /^dpo: the option beta is the string "0\.1"; give a number above 0\./,
    () => builtIn("dpo", { beta: "0.1" }),
  ],
  [
    "a number that is not finite",
    "option-value",
    /the option beta is the number Infinity/,
    () => dpo({ beta: Infinity }),
  ],
  [
    "a flag as text",
    "option-value",
    /^withWeighting: the option stop is the string "false"; give true or false/,
    () => withWeighting(none, any({ stop: "false" })),
  ],
  [
    "options that are no object",
    "option-value",
    /^wpo: the options are the number 1; give an object/,
    () => wpo(any(1)),
  ],
]);
