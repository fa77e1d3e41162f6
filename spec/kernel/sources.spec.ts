// Which expression each line of a kernel was made for: every line that computes with reals knows it, under every schedule,
// and a shader that a driver refuses names it.
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { randomBatch } from "../../src/sample/batch.ts";
import { random } from "../../src/sample/random.ts";
import { printExpression } from "../../src/core/print.ts";
import { builtIns, compile, dpo, tdpo2, wpo, type Device } from "../../src/index.ts";
import type { CompileOptions, Objective } from "../../src/index.ts";
import type { Assignment, Declaration, Kernel, Statement } from "../../src/kernel/kernel.ts";
import { printStatements } from "../../src/kernel/text.ts";
import { pipelineFor } from "../../src/runtime/shaders/pipelines.ts";
import { printKernel, sourceLines } from "../../src/wgsl/print.ts";
import { withDevice } from "../support/device.ts";

const schedules: readonly NonNullable<CompileOptions["schedule"]>[] = [
  {},
  { rowLanes: 4, vector: 1, unroll: 1, programLanes: 16, shareMaxima: false },
  { rowLanes: 8, programLanes: 64, tokenLanes: 4, blockLength: 6 },
  { split: 3, rowLanes: 64 },
];

const kernelsOf = (objective: Objective): readonly Kernel[] =>
  schedules.flatMap((schedule, position) => {
    const compiled = compile(objective, { schedule });
    return (["value", "valueAndGrad"] as const).flatMap((direction) =>
      compiled.plan(direction, 126 + position).steps.map(({ kernel }) => kernel),
    );
  });

type Line = Declaration | Assignment;
const linesOf = (statements: readonly Statement[]): readonly Line[] =>
  statements.flatMap((one): readonly Line[] => {
    if (one.kind === "for") return linesOf(one.body);
    if (one.kind === "if") return [...linesOf(one.body), ...linesOf(one.otherwise ?? [])];
    return one.kind === "let" || one.kind === "var" || one.kind === "assign" ? [one] : [];
  });
const isReal = ({ value: { type } }: Line): boolean => type === "f32" || type === "pair";

describe("the lines of every built-in", () => {
  it.each(Object.entries(builtIns))("that compute with reals know why: %s", (_name, { make }) => {
    let told = 0;
    for (const kernel of kernelsOf(make())) {
      const sources = sourceLines(kernel);
      const own = linesOf(kernel.body);
      const unknown = own.filter((line) => isReal(line) && line.source === undefined);
      expect(printStatements(unknown), kernel.name).toBe("");
      // and each printed line is that of a statement that was made for that expression, in their order
      const expressions = own.flatMap(({ source }) => (source === undefined ? [] : [source]));
      expect([...sources.values()]).toEqual(expressions);
      const text = printKernel(kernel).split("\n");
      const strange = [...sources.keys()].filter((number) => !/ = .*;$/.test(text[number - 1]!));
      expect(strange).toEqual([]);
      told += sources.size;
    }
    expect(told).toBeGreaterThan(100);
  });
});

/** The expression that the only line with this text was made for. */
function expressionAt(objective: Objective, kernel: string, text: RegExp): string {
  const { steps } = compile(objective, { schedule: schedules[1]! }).plan("valueAndGrad", 128);
  const step = steps.find((candidate) => candidate.kernel.name === kernel)!;
  const number = step.wgsl.split("\n").findIndex((line) => text.test(line)) + 1;
  return printExpression(sourceLines(step.kernel).get(number)!, 4);
}

describe("the expression of a line", () => {
  it.each([
    [dpo(), "row program: examples", /= pair_log_sigmoid\(/, "logSigmoid(beta * (… - … - …))"],
    [
      dpo(),
      "read policy logits",
      / part_s0 = part_s0/,
      "sum[vocab](exp(z.policy - max[vocab](z.policy)))",
    ],
    [wpo(), "read policy logits", / lane_s1 = select/, "sum[vocab](exp(2 * (z.policy - …)))"],
    [wpo(), "read policy logits", / let top_policy = max/, "z.policy[vocab = label]"],
    [
      tdpo2(),
      "write the gradient of policy logits",
      / let e_policy_0/,
      "exp(z.policy - max[vocab](z.policy))",
    ],
  ])("is that of the paper or of the normal form: %#", (objective, kernel, line, text) => {
    expect(expressionAt(objective, kernel, line)).toBe(text);
  });
});

describe("a shader that the driver refuses", () => {
  let device: Device;
  withDevice((opened) => {
    device = opened;
  });

  const ruin = (text: string, line: number): string =>
    text
      .split("\n")
      .map((one, i) => (i + 1 === line ? one.replace(/ = .*;$/, " = vec3<bool>(1u);") : one))
      .join("\n");

  it("names the expression of the line, whichever line it is", async () => {
    const { steps } = compile(wpo(), { device, schedule: schedules[1]! }).plan("valueAndGrad", 40);
    const places = steps.flatMap(({ kernel, wgsl }) =>
      [...sourceLines(kernel)].map(([line, source]) => ({ kernel, wgsl, line, source })),
    );
    expect(places.length).toBeGreaterThan(100);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...places), async ({ kernel, wgsl, line, source }) => {
        const error: unknown = await pipelineFor(device, kernel, ruin(wgsl, line)).catch(
          (reason: unknown) => reason,
        );
        expect(error).toMatchObject({ code: "shader-rejected" });
        const { message } = error as Error;
        expect(message).toContain(`The shader "${kernel.name}" was rejected; `);
        expect(message).toContain(` adapter: line ${line}, column`);
        expect(message).toContain(`This line computes ${printExpression(source, 8)}.`);
      }),
      { numRuns: 40 },
    );
  });

  it("names it where an objective is run", async () => {
    const create = device.gpu.createShaderModule.bind(device.gpu);
    const spy = vi.spyOn(device.gpu, "createShaderModule").mockImplementation((descriptor) => {
      const line = descriptor.code
        .split("\n")
        .findIndex((one) => one.includes("= pair_log_sigmoid("));
      return create({ ...descriptor, code: ruin(descriptor.code, line + 1) });
    });
    const compiled = compile(dpo(), { device });
    const size = { examples: 2, tokens: 3, vocab: [40, 40] } as const;
    const running = compiled.value(randomBatch(compiled.program, size, random(1, 0)));
    await expect(running).rejects.toThrow("This line computes logSigmoid(beta * (");
    spy.mockRestore();
    compiled.dispose();
  });
});
