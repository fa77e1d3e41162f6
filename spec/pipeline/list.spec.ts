// The compiler as one list of passes: every one of them runs, is recorded with what it was given and what it made, and hands its
// result to the verifier of its level before the next pass sees it.
import { describe, expect, it } from "vitest";
import { binary, constant } from "../../src/core/build.ts";
import { builtIns, compile, dpo } from "../../src/index.ts";
import { passes, type Pass } from "../../src/pipeline/pass.ts";
import { pipeline } from "../../src/pipeline/pipeline.ts";
import { layOut } from "../../src/plan/layout.ts";
import { verifyLayout } from "../../src/plan/verify.ts";
import { onlineBlock } from "../../src/block/passes.ts";
import { verifyBlock } from "../../src/block/verify.ts";
import { entryOf } from "../../src/stream/skeleton.ts";
import type { Stages } from "../../src/stream/stages.ts";
import { verifyStages } from "../../src/stream/verify.ts";

const program = compile(dpo()).program;
const { stages } = program.valueAndGrad;

describe("the list of passes", () => {
  it("goes from what was written to the text of shaders", () => {
    const { formulas, stages: ofDirection, shaders } = pipeline;
    expect([formulas.names, ofDirection.names, shaders.names]).toEqual([
      ["bind inputs", "simplify", "differentiate", "simplify the gradient"],
      ["derive passes", "simplify what lies between", "stage"],
      ["lay out values", "lower to blocks and steps", "lower to kernels", "print"],
    ]);
  });

  it.each(Object.entries(builtIns))("is what explain reads aloud of %s", (_, { make }) => {
    const told = compile(make()).explain({ rows: 24, vocab: 50 }).passes;
    const { formulas, stages: ofDirection, shaders } = pipeline;
    const each = [...ofDirection.names, ...shaders.names];
    expect(told.map(({ name }) => name)).toEqual([...formulas.names, ...each, ...each]);
    told.forEach(({ before, after, direction }, position) => {
      expect(Object.keys(after)).not.toEqual([]);
      // within a direction a pass is given what the one before made, and the first of the list of stages a part of it
      const last = told[position - 1];
      const isFirst = last === undefined || last.direction !== direction;
      if (!isFirst && !("passes" in before && "rounds" in before))
        expect(before).toEqual(last.after);
    });
  });

  it("stops at the first pass whose result its level refuses, and names the pass", () => {
    const seen: string[] = [];
    const step = (name: string, most: number): Pass<number, number> => ({
      name,
      run: (given) => given + 1,
      sizes: (made) => ({ units: made }),
      verify: (made, pass) => {
        seen.push(pass);
        if (made > most) throw new Error(`after ${pass}`);
      },
    });
    const list = passes((units: number) => ({ units }))
      .and(step("a", 9))
      .and(step("b", 1))
      .and(step("c", 9));
    expect(() => list.run(0, null)).toThrow("after b");
    expect(seen).toEqual(["a", "b"]);
    expect(list.run(-1, "value").records.map(({ before, after }) => [before, after])).toEqual([
      [{ units: -1 }, { units: 0 }],
      [{ units: 0 }, { units: 1 }],
      [{ units: 1 }, { units: 2 }],
    ]);
  });
});

describe("the verifier of stages refuses", () => {
  const broken = (change: Partial<Stages>): (() => void) => {
    const made = { ...stages, ...change };
    return () =>
      verifyStages(
        made,
        program.valueAndGrad.scalars.map(([, node]) => node),
      );
  };
  const last = stages.outputs.get(stages.lastRound)!;

  it("nothing that the compiler makes", () => {
    expect(broken({})).not.toThrow();
  });
  it("a field that no pass leaves", () => {
    expect(broken({ passes: [] })).toThrow(
      /the row program of round 1 reads the field .* which nothing/,
    );
  });
  it("a value of the gradient that no row program leaves", () => {
    expect(broken({ outputs: new Map([[1, last.slice(1)]]) })).toThrow(
      /the gradient pass reads the field .* of "[wl]", which nothing earlier leaves/,
    );
  });
  it("a value that is left twice", () => {
    expect(broken({ outputs: new Map([[1, [...last, last[0]!]]]) })).toThrow(/is left twice/);
  });
  it("a value between passes that ranges over the vocabulary", () => {
    const wide = { ...last[0]!, node: entryOf("policy") };
    expect(broken({ outputs: new Map([[1, [wide, ...last.slice(1)]]]) })).toThrow(
      /ranges over the vocabulary/,
    );
  });
});

describe("the verifier of a layout refuses", () => {
  const { responses, inputs, params } = program;
  const laid = layOut(program.valueAndGrad, { responses, inputs, params });

  it("nothing that the compiler makes", () => {
    expect(() => verifyLayout(laid, stages)).not.toThrow();
  });
  it("two values of an example in one slot", () => {
    const upload = { input: "example.a", response: null, slot: laid.perExample! };
    expect(() => verifyLayout({ ...laid, exampleUploads: [upload] }, stages)).toThrow(
      /two values of an example have one slot/,
    );
  });
  it("a slot or a field outside its buffer", () => {
    expect(() => verifyLayout({ ...laid, exampleSlots: 0 }, stages)).toThrow(/a slot lies outside/);
    const upload = { input: "tokens.a.w", response: "w", slot: laid.rowFields.length };
    expect(() => verifyLayout({ ...laid, tokenUploads: [upload] }, stages)).toThrow(
      /a field lies outside/,
    );
  });
  it("a field that has no place", () => {
    const outputs = new Map([[1, [{ field: "mine", response: "w", node: constant(0) }]]]);
    expect(() => verifyLayout(laid, { ...stages, outputs })).toThrow(/"mine" has no place/);
  });
});

describe("the verifier of blocks refuses", () => {
  const [pass] = stages.passes.flatMap((one) => (one.kind === "online" ? [one] : []));
  const block = onlineBlock(pass!);

  it("nothing that the compiler makes", () => {
    expect(() => verifyBlock(block)).not.toThrow();
  });
  it("a model that the pass does not read", () => {
    const opaque = [binary("times", entryOf("teacher"), constant(2))];
    expect(() => verifyBlock({ ...block, opaque })).toThrow(/it reads "z.teacher"/);
  });
  it("two results of one name", () => {
    const [first] = block.left;
    expect(() => verifyBlock({ ...block, left: [...block.left, first!] })).toThrow(
      /two fields are one/,
    );
  });
  it("a value of the row that ranges over the vocabulary", () => {
    const left = [{ ...block.left[0]!, value: entryOf(block.models[0]!) }];
    expect(() => verifyBlock({ ...block, left })).toThrow(/ranges over the vocabulary/);
  });
});
