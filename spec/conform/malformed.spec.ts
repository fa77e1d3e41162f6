// Recorded files that are not what they should be: each mistake has its sentence, and no corruption, whichever it is,
// ends in anything but a sentence that names the file.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseGolden, readGolden } from "../../src/conform/golden.ts";
import { PrefcError } from "../../src/core/error.ts";
import {
  changed,
  conform,
  documentOf,
  errorOf,
  put,
  sft,
  sigmoid,
  textOf,
  type Json,
} from "./support.ts";

const message = (text: string): string => errorOf(() => parseGolden(text, "changed.json")).message;
const failure = async (change: (document: Json) => void): Promise<string> =>
  (await conform(changed(sigmoid, change))).failures.join("; ");

describe("a golden file that is malformed", () => {
  it("may be no JSON, or cut off", () => {
    expect(message("loss: 1")).toMatch(
      /^changed\.json: this is not JSON \(line 1, column 1: .*\); correct it there or write the file again\.$/,
    );
    expect(message(textOf(sigmoid).slice(0, 900))).toMatch(/^changed\.json: this is not JSON/);
  });

  it("may hold JSON of another kind", () => {
    expect(message("[1, 2]")).toBe(
      "changed.json: the document must be an object, but is an array of 2.",
    );
    expect(message("null")).toBe("changed.json: the document must be an object, but is null.");
  });

  it("may not be there", () => {
    expect(errorOf(() => readGolden("/nowhere/lost.json"))).toMatchObject({
      code: "golden-unreadable",
    });
    expect(errorOf(() => readGolden("/nowhere/lost.json")).message).toMatch(
      /^lost\.json: the file cannot be read/,
    );
  });

  it.each<readonly [string, (document: Json) => void, string]>([
    [
      "no objective",
      (d) => delete (d as Partial<Json>)["objective"],
      "objective must be a string, but is nothing.",
    ],
    [
      "no outputs",
      (d) => delete (d as Partial<Json>)["outputs"],
      "outputs must be an object, but is nothing.",
    ],
    [
      "no loss",
      (d) => delete (d["outputs"] as Partial<Json>)["loss"],
      'outputs.loss must be a number, or one of "NaN", "Infinity" and "-Infinity", but is nothing.',
    ],
    [
      "a shape of zero",
      (d) => put(d["shapes"]!, "V", 0),
      "shapes.V must be a whole number from 1, but is 0.",
    ],
    [
      "a fractional shape",
      (d) => put(d["shapes"]!, "B", 1.5),
      "shapes.B must be a whole number from 1, but is 1.5.",
    ],
    [
      "a loss in words",
      (d) => put(d["outputs"]!, "loss", "much"),
      'outputs.loss must be a number, or one of "NaN", "Infinity" and "-Infinity", but is "much".',
    ],
    [
      "inputs in a list",
      (d) => put(d, "inputs", []),
      "inputs must be an object, but is an array of 0.",
    ],
    [
      "a count below 0",
      (d) => put(d["float32_run"]!, "grad_nonfinite_count", -1),
      "float32_run.grad_nonfinite_count must be a whole number from 0, but is -1.",
    ],
  ])("may have %s", (_, change, sentence) => {
    expect(message(changed(sigmoid, change))).toBe(`changed.json: ${sentence}`);
  });

  it("may have a number that JSON reads as infinite", () => {
    const text = textOf(sigmoid).replace(/"loss": ?0\.\d+/, '"loss": 1e999');
    expect(message(text)).toMatch(
      /^changed\.json: outputs\.loss must be a number, .* but is Infinity\.$/,
    );
  });

  it.each<readonly [string, (document: Json) => void, string]>([
    [
      "ragged logits",
      (d) => put(d["inputs"]!["policy_logits"]![2]!, 3, [1, 2]),
      "changed.json: inputs.policy_logits[2][3] must be an array of 11 (the shape is 6 × 7 × 11), but is an array of 2.",
    ],
    [
      "logits that are no number",
      (d) => put(d["inputs"]!["policy_logits"]![0]![1]!, 4, "x"),
      'changed.json: inputs.policy_logits[0][1][4] must be a number, or one of "NaN", "Infinity" and "-Infinity", but is "x".',
    ],
    [
      "a wrong number of rows",
      (d) => put(d["inputs"]!, "input_ids", [[1]]),
      "changed.json: inputs.input_ids must be an array of 6 (the shape is 6 × 7), but is an array of 1.",
    ],
    [
      "shapes that promise too much",
      (d) => put(d["shapes"]!, "B", 1e9),
      "changed.json: inputs.input_ids must be an array of 2000000000 (the shape is 2000000000 × 7), but is an array of 6.",
    ],
    [
      "no gradient",
      (d) => delete (d["outputs"] as Partial<Json>)["grad_policy_logits"],
      "changed.json: outputs.grad_policy_logits must be an array of 6 (the shape is 6 × 7 × 11), but is nothing.",
    ],
    [
      "a list of another length",
      (d) => put(d["outputs"]!, "chosen_logps", [1]),
      "changed.json: outputs.chosen_logps must be an array of 3 (the shape is 3), but is an array of 1.",
    ],
  ])("may have %s", async (_, change, sentence) => {
    expect(await failure(change)).toBe(sentence);
  });

  it("may have a label outside the vocabulary, a mask of twos or logits that are NaN", async () => {
    expect(await failure((d) => put(d["inputs"]!["input_ids"]![0]!, 6, 99))).toMatch(
      /^changed\.json: Token \d of example 0 in response "w" has label 99/,
    );
    expect(await failure((d) => put(d["inputs"]!["completion_mask"]![0]!, 6, 2))).toBe(
      "changed.json: completion_mask is 2 at position 6; give 0 or 1.",
    );
    const spoilt = await failure((d) => {
      for (let t = 0; t < 7; t++) put(d["inputs"]!["policy_logits"]![0]![t]!, 0, "NaN");
    });
    expect(spoilt).toMatch(/^reference: "policy\.logits\.w" is NaN at vocabulary entry 0/);
  });
});

/** Every place of a document: the container and the key below it. */
function places(value: Json, found: [Json, string][] = []): readonly [Json, string][] {
  if (typeof value !== "object" || value === null) return found;
  for (const key of Object.keys(value)) {
    found.push([value, key]);
    places(value[key]!, found);
  }
  return found;
}

const junk = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    "",
    "NaN",
    "Infinity",
    "-Infinity",
    "__proto__",
    [],
    [[]],
    {},
    -1,
    0,
    0.5,
    1e308,
    -1e308,
    5e-324,
    2 ** 53,
    1e9,
  ),
  fc.jsonValue({ maxDepth: 2 }),
);
/** Top-level members matter as much as the many numbers deep inside, so a place is drawn by depth first. */
const where = fc.tuple(
  fc.constantFrom("", "params", "shapes", "inputs", "outputs", "float32_run"),
  fc.nat(),
);

type Corruption = (document: Json) => void;
const pick = (
  document: Json,
  [part, index]: readonly [string, number],
): readonly [Json, string] => {
  const container = part === "" ? document : document[part]!;
  const shallow = Object.keys(container).map((key): readonly [Json, string] => [container, key]);
  // half of the draws stay on the surface
  const all = index % 2 === 0 ? shallow : places(container);
  return all[Math.floor(index / 2) % all.length]!;
};

const corruption: fc.Arbitrary<Corruption> = fc.oneof(
  fc.tuple(where, junk).map(([at, value]): Corruption => (document) => {
    const [container, key] = pick(document, at);
    put(container, key, value);
  }),
  where.map((at): Corruption => (document) => {
    const [container, key] = pick(document, at);
    if (Array.isArray(container)) container.splice(Number(key), 1);
    else Reflect.deleteProperty(container, key);
  }),
  fc
    .tuple(
      fc.constantFrom("", "params", "inputs", "outputs", "shapes"),
      fc.constantFrom("__proto__", "constructor", "toString", "beta "),
      junk,
    )
    .map(
      ([part, key, value]): Corruption =>
        (document) =>
          Object.defineProperty(part === "" ? document : document[part]!, key, {
            value,
            enumerable: true,
            configurable: true,
          }),
    ),
);

describe("any corruption of a golden file", () => {
  it.each([sigmoid, sft])(
    "ends in a sentence that names the file, or changes nothing that is read: %s",
    async (file) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(corruption, { minLength: 1, maxLength: 2 }),
          async (corruptions) => {
            const text = changed(file, (document) => {
              for (const corrupt of corruptions) {
                try {
                  corrupt(document);
                } catch {
                  // the first corruption took away what the second one would change
                }
              }
            });
            try {
              const report = await conform(text);
              expect(
                report.failures.filter((sentence) => sentence.includes("internal error")),
              ).toEqual([]);
              expect(report.verdict === "FAIL").toBe(report.failures.length > 0);
            } catch (error) {
              expect(error).toBeInstanceOf(PrefcError);
              expect((error as PrefcError).message).toMatch(/^changed\.json: /);
            }
          },
        ),
        { numRuns: 300 },
      );
    },
  );

  it("ends in a sentence that names the file, wherever the text is cut or one character is another", () => {
    const whole = textOf(sigmoid);
    fc.assert(
      fc.property(
        fc.nat({ max: whole.length - 1 }),
        fc.string({ unit: "binary", maxLength: 1 }),
        fc.boolean(),
        (at, character, cut) => {
          const text = cut
            ? whole.slice(0, at)
            : whole.slice(0, at) + character + whole.slice(at + 1);
          try {
            parseGolden(text, "changed.json");
          } catch (error) {
            expect(error).toBeInstanceOf(PrefcError);
            expect((error as PrefcError).message).toMatch(/^changed\.json: /);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it("is drawn so that most corruptions matter", async () => {
    const outcomes = await Promise.all(
      fc.sample(corruption, { numRuns: 60, seed: 1 }).map(async (corrupt) => {
        try {
          return (await conform(changed(sigmoid, corrupt))).verdict;
        } catch {
          return "unreadable";
        }
      }),
    );
    // a test that never sees both would show nothing
    expect(outcomes.filter((outcome) => outcome === "unreadable").length).toBeGreaterThan(5);
    expect(outcomes.filter((outcome) => outcome === "FAIL").length).toBeGreaterThan(5);
  });

  it("does not touch the recorded file itself", () => {
    expect(documentOf(sigmoid)["objective"]).toBe("dpo/sigmoid");
  });
});
