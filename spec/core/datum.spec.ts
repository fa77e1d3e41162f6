// What an input is stands in its fields; its name spells them and is read back only with what the input ranges over.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tokenAxis, type Axis } from "../../src/core/axis.ts";
import { input } from "../../src/core/build.ts";
import { datumNamed, nameOfDatum, ofModel, stackedName, type Datum } from "../../src/core/datum.ts";
import {
  idsOf,
  isDifferentiated,
  logitsOf,
  logpsInput,
  tokenInput,
} from "../../src/core/inputs.ts";
import { parse } from "../../src/core/parse.ts";
import { print } from "../../src/core/print.ts";
import type { Input } from "../../src/core/node.ts";
import { oddNames } from "../support/terms.ts";

const anyName = fc.oneof(
  fc.string(),
  fc.constantFrom(...oddNames),
  fc.constantFrom("a.b", "logits.w"),
);
const model = fc.constantFrom("policy", "ref");

/** Data of every kind, with what each ranges over. */
const data: fc.Arbitrary<readonly [Datum, readonly Axis[]]> = fc
  .record({ response: anyName, name: anyName, model, position: fc.nat(99) })
  .chain(({ response, name, model, position }) => {
    const tokens: readonly Axis[] = ["batch", tokenAxis(response)];
    return fc.constantFrom<readonly [Datum, readonly Axis[]]>(
      [{ kind: "logits", model, response }, [...tokens, "vocab"]],
      [{ kind: "logp", model, response }, tokens],
      [{ kind: "logps", model, response }, ["batch"]],
      [{ kind: "ids", response }, tokens],
      [{ kind: "reward", response }, ["batch"]],
      [{ kind: "example", name }, ["batch"]],
      [{ kind: "tokens", name, response }, tokens],
      [{ kind: "field", key: `maximum.${model}`, response }, tokens],
      [{ kind: "entry", model }, ["vocab"]],
      [{ kind: "slot", position }, []],
      [{ kind: "label" }, []],
    );
  });

describe("data of the batch", () => {
  it("are read back from the name and the axes, whatever characters the names hold", () => {
    fc.assert(
      fc.property(data, ([datum, axes]) => {
        expect(datumNamed(nameOfDatum(datum), axes)).toEqual(datum);
      }),
    );
  });

  it("are one node, however they are asked for", () => {
    fc.assert(
      fc.property(data, ([datum, axes]) => {
        const dtype = datum.kind === "ids" || datum.kind === "label" ? "i32" : "f32";
        const node = input(datum, axes, dtype);
        expect(input(nameOfDatum(datum), axes, dtype)).toBe(node);
        expect(parse(print({ x: node }))["x"]).toBe(node);
      }),
    );
  });

  it("are of no kind where the name promises another shape than the input has", () => {
    const other = input("policy.logits.w", ["batch"]) as Input;
    expect(other.datum).toEqual({ kind: "named", name: "policy.logits.w" });
    expect(input("ids.w", ["batch", "token.l"], "i32")).not.toBe(idsOf("w"));
  });

  it("are differentiated where they are the policy's or a reward", () => {
    const learned = (node: unknown): boolean => isDifferentiated(node as Input);
    expect(learned(logitsOf("policy", "w"))).toBe(true);
    expect(learned(logpsInput("ref", "w"))).toBe(false);
    expect(learned(input("reward.w", ["batch"]))).toBe(true);
    // a number of the user's own whose name begins like the policy's
    expect(learned(tokenInput("policy", "w"))).toBe(false);
  });

  it("lose only the response where tokens of all responses are stacked", () => {
    const stacked = (node: unknown): string => stackedName((node as Input).datum);
    expect(stacked(tokenInput("a.b", "w.prompt"))).toBe("tokens.a.b");
    expect(stacked(input("field.maximum.policy.w", ["batch", "token.w"]))).toBe("maximum.policy");
  });

  it("of a model are known by name alone", () => {
    expect(ofModel("policy.logits.w.prompt")).toEqual({
      kind: "logits",
      model: "policy",
      response: "w.prompt",
    });
    expect(ofModel("example.logits.w")).toBeNull();
    expect(ofModel("policy.weight.w")).toBeNull();
  });
});
