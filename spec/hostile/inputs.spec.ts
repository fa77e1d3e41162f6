// Files that nobody vouches for. A slice of npm run mutate-inputs with a seed of its own; what once went wrong, as examples;
// and the reader of JSON against JSON.parse.
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { random } from "../../src/sample/random.ts";
import { explanationText } from "../../src/explain/text.ts";
import {
  compile,
  dpo,
  evaluate,
  fromPacked,
  fromResponses,
  fromTrl,
  fromUnpaired,
  parseJson,
  PrefcError,
} from "../../src/index.ts";
import { errorOf } from "../support/error.ts";
import { entries, entryOf, mutantOf, outcomeOf, workplace } from "../support/inputs.ts";
import { byteMutations } from "../support/byte-mutations.ts";
import { documentMutations, textMutations } from "../support/mutations.ts";

const place = workplace();
afterAll(() => place.remove());

describe("files with mistakes", () => {
  it("are right before they have one", async () => {
    for (const entry of entries)
      expect(await outcomeOf(entry, Buffer.from(entry.original), place.path)).toMatchObject({
        kind: "result",
      });
  });

  it("end in a result or a typed error: 300 cases of seed 20260101", async () => {
    const kinds = { result: 0, error: 0, fault: 0 };
    const codes = new Set<string>();
    const done = new Set<string>();
    for (let index = 0; index < 300; index++) {
      const source = random(20_260_101, index);
      const entry = entryOf(source);
      const { bytes, what } = mutantOf(entry, source);
      const { kind, detail } = await outcomeOf(entry, bytes, place.path);
      expect(kind, `case ${index}: ${entry.name}, ${what}: ${detail}`).not.toBe("fault");
      kinds[kind]++;
      if (kind === "error") codes.add(detail);
      for (const one of what.split(", ")) done.add(one);
    }
    // a slice that met only one outcome, or few mistakes, would show little
    expect(Math.min(kinds.result, kinds.error)).toBeGreaterThan(60);
    expect(codes.size).toBeGreaterThan(10);
    const known = [...Object.keys(textMutations), ...Object.keys(documentMutations)];
    expect([...done].some((what) => Object.hasOwn(byteMutations, what))).toBe(true);
    expect(known.filter((what) => !done.has(what)).length).toBeLessThan(5);
  });
});

describe("a JSON text", () => {
  const accepted = (text: string): unknown => {
    try {
      return { value: JSON.parse(text) as unknown };
    } catch {
      return "refused";
    }
  };
  const ours = (text: string): unknown => {
    try {
      return { value: parseJson(text, "x.json") };
    } catch (error) {
      if (!(error instanceof PrefcError)) throw error;
      return error.code === "json-malformed" ? "refused" : error.code;
    }
  };

  it("is read as JSON.parse reads it", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), fc.constantFrom(undefined, 1, "\t"), (text, indent) => {
        const spaced = JSON.stringify(JSON.parse(text), null, indent);
        expect(ours(spaced)).toEqual(accepted(spaced));
      }),
    );
  });

  it("is refused where JSON.parse refuses it, after any one change", () => {
    const pieces = fc.constantFrom(
      ...'{}[]:,"\\ \n\t0123456789.eE+-truefalsn\u0000\u00a0é'.split(""),
      '"a":1',
      "\\u12",
      "1e5",
      "NaN",
      "//",
    );
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 3 }),
        fc.nat(),
        fc.nat(3),
        pieces,
        (text, where, removed, added) => {
          const at = where % (text.length + 1);
          const changed = text.slice(0, at) + added + text.slice(at + removed);
          const found = ours(changed);
          if (found !== "json-key-twice") expect(found, changed).toEqual(accepted(changed));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it.each<readonly [string, readonly [string, string]]>([
    [
      '{"a": 1, "b": {"c": 2, "c": 3}}',
      [
        "json-key-twice",
        'x.json: the key "c" stands twice in one object (line 1, column 24, at b.c); remove one of the two.',
      ],
    ],
    [
      '{"a": 1,\n "\\u0061": 2}',
      [
        "json-key-twice",
        'x.json: the key "a" stands twice in one object (line 2, column 2, at a); remove one of the two.',
      ],
    ],
    [
      '{"__proto__": 1, "__proto__": 2}',
      [
        "json-key-twice",
        'x.json: the key "__proto__" stands twice in one object (line 1, column 18, at __proto__); remove one of the two.',
      ],
    ],
    [
      '{"inputs": {"policy_logits": [[0, NaN]]}}',
      [
        "json-malformed",
        'x.json: this is not JSON (line 1, column 35, at inputs.policy_logits[0][1]: a value ("NaN" and "Infinity" are written as strings) is expected, but there is "NaN]]}}"); correct it there or write the file again.',
      ],
    ],
    [
      '{"a": [1, 2',
      [
        "json-malformed",
        'x.json: this is not JSON (line 1, column 12, at a: "," or "]" is expected, but the text ends); correct it there or write the file again.',
      ],
    ],
    [
      "",
      [
        "json-malformed",
        "x.json: this is not JSON (line 1, column 1: a value is expected, but the text ends); correct it there or write the file again.",
      ],
    ],
    [
      '"a\nb"',
      [
        "json-malformed",
        'x.json: this is not JSON (line 1, column 1: a string without line breaks or unknown escapes is expected, but there is "\\"a\\nb\\""); correct it there or write the file again.',
      ],
    ],
  ])("is told where it is wrong: %j", (text, expected) => {
    expect(errorOf(() => parseJson(text, "x.json"))).toEqual(expected);
  });

  it("is refused when it is nested without end, in arrays and in objects", () => {
    for (const text of [
      "[".repeat(1_000_000),
      '{"a":'.repeat(1_000_000),
      `${"[".repeat(65)}${"]".repeat(65)}`,
    ])
      expect(errorOf(() => parseJson(text, "x.json"))[0]).toBe("json-too-deep");
    expect(parseJson(`${"[".repeat(64)}${"]".repeat(64)}`, "x.json")).toHaveLength(1);
  });

  it("may begin with a byte-order mark, and keeps a key called __proto__ as a key", () => {
    const read = parseJson('\ufeff{"__proto__": {"beta": 1}}', "x.json") as object;
    expect(Object.keys(read)).toEqual(["__proto__"]);
    expect("beta" in read).toBe(false);
  });
});

describe("batches that no compiler has seen", () => {
  const data = (value: unknown): never => value as never;
  it.each<readonly [string, () => unknown, string, RegExp]>([
    ["nothing", () => fromTrl(data(null)), "not-a-record", /^The batch is null; give an object/],
    ["a list", () => fromPacked(data([])), "not-a-record", /^The batch is an array;/],
    ["a text", () => fromUnpaired(data("x")), "not-a-record", /^The batch is "x";/],
    [
      "a response that is nothing",
      () => fromResponses(data({ w: null })),
      "not-a-record",
      /^w is null;/,
    ],
    [
      "an example list that is a number",
      () => fromResponses({}, { examples: data(5) }),
      "not-a-record",
      /^examples is 5;/,
    ],
    [
      "an object with a constructor of its own",
      () => fromTrl(data({ input_ids: { constructor: { name: { toString: 1 } } } })),
      "not-an-array",
      /^input_ids is of type Object;/,
    ],
    [
      "labels that only say how many they are",
      () => fromResponses(data({ w: { labels: [[1], { length: 1e9 }], policy_logits: [[0, 1]] } })),
      "not-an-array",
      /^w\.labels\[1\] is of type Object;/,
    ],
    [
      "rows that promise more than there is",
      () =>
        fromTrl(
          data({ input_ids: [[], ...Array.from({ length: 9 }, () => 1)], shape: [1e15, 1e15] }),
        ),
      "nesting-uneven",
      /input_ids\[1\] has no array/,
    ],
    [
      "a shape of many empty rows",
      () => fromTrl(data({ input_ids: [], shape: [4294967296, 0, 5] })),
      "shape-mismatch",
      /^shape must be \[rows, length, vocabulary\]/,
    ],
    [
      "a name that stands twice",
      () =>
        fromTrl(
          data({
            input_ids: [[1, 2]],
            completion_mask: [[1, 1]],
            policy_logits: [],
            responses: ["w", "w"],
          }),
        ),
      "names-expected",
      /^responses must be a list of different names/,
    ],
    [
      "numbers nested 100,000 deep",
      () => {
        let deep: unknown = [1];
        for (let depth = 0; depth < 100_000; depth++) deep = [deep];
        return fromTrl(data({ input_ids: deep }));
      },
      "nesting-uneven",
      /^input_ids is nested more than 8 deep/,
    ],
  ])("%s", (_, act, code, sentence) => {
    const [found, message] = errorOf(act);
    expect(found).toBe(code);
    expect(message).toMatch(sentence);
  });

  it.each<readonly [string, unknown, string]>([
    ["nothing", null, "params is null; give an object with its parts by name."],
    ["text", { beta: "1" }, 'Parameter "beta" is "1"; give a finite number.'],
    ["NaN", { beta: Number.NaN }, 'Parameter "beta" is NaN; give a finite number.'],
    [
      "what cannot be shown",
      { beta: Object.create(null) },
      'Parameter "beta" is an object; give a finite number.',
    ],
  ])("and parameters that are %s", (_, params, sentence) => {
    const batch = fromResponses({
      w: { labels: [[1]], policy_logits: [[0, 1]], ref_logits: [[0, 1]] },
      l: { labels: [[0]], policy_logits: [[0, 1]], ref_logits: [[0, 1]] },
    });
    expect(errorOf(() => evaluate([dpo().loss], batch, data(params)))[1]).toBe(sentence);
  });

  it("and measured rates of an adapter with a name of any kind", () => {
    const rates = { readGbS: 1, copyGbS: 1, source: "measured on a\u202eb\n" };
    expect(explanationText(compile(dpo()).explain(), { rates })).toContain(
      "measured on a\\u202eb\\u000a",
    );
  });
});
