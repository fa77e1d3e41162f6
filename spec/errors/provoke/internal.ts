// Provokes the errors that no input should: each check of one part of the compiler on another, given what it looks for.
import { movedMoment } from "../../../src/block/moments.ts";
import { totalBlock } from "../../../src/block/passes.ts";
import { verifyBlock } from "../../../src/block/verify.ts";
import { binary, constant, input, param, reduce, unary } from "../../../src/core/build.ts";
import type { internal as rows } from "../../../src/core/errors/internal.ts";
import { exampleInput, logitsOf } from "../../../src/core/inputs.ts";
import { verify } from "../../../src/core/verify.ts";
import { singles } from "../../../src/kernel/arithmetic.ts";
import * as k from "../../../src/kernel/kernel.ts";
import { scope } from "../../../src/kernel/scalar.ts";
import { verifyKernel } from "../../../src/kernel/verify.ts";
import { compile, sft } from "../../../src/index.ts";
import { layOut } from "../../../src/plan/layout.ts";
import { verifyLayout } from "../../../src/plan/verify.ts";
import { rule, variable } from "../../../src/rewrite/rule.ts";
import { rowSteps } from "../../../src/rows/steps.ts";
import { derive } from "../../../src/stream/derive.ts";
import { rowNode } from "../../../src/stream/settle.ts";
import { entryOf, slotInput } from "../../../src/stream/skeleton.ts";
import { verifyStages } from "../../../src/stream/verify.ts";
import { any, type Provocations } from "./provocations.ts";

const x = variable("x");

export const internal: Provocations<typeof rows> = {
  "ill-formed-term": () => verify([{ ...constant(1) }], "simplify"),
  "rule-ill-formed": () => rule("mine", unary("exp", x), variable("y")),
  "rule-does-not-descend": () => rule("mine", unary("exp", x), unary("exp", unary("exp", x))),
  "vocabulary-left": () => rowNode(any(null), any({ kind: "form" }), logitsOf("policy", "w")),
  "unsupported-input": () =>
    derive(
      [reduce("sum", "vocab", unary("exp", input("bias", ["batch", "token.w", "vocab"])))],
      [],
    ),
  "stages-ill-formed": () =>
    verifyStages(compile(sft()).program.value.stages, [logitsOf("policy", "w")]),
  "layout-ill-formed": () => {
    const { value, responses, inputs, params } = compile(sft()).program;
    const laid = layOut(value, { responses, inputs, params });
    verifyLayout({ ...laid, rowFields: [...laid.rowFields, laid.rowFields[0]!] }, value.stages);
  },
  "block-ill-formed": () =>
    verifyBlock(
      totalBlock({
        kind: "total",
        round: 2,
        models: ["policy"],
        responses: ["w"],
        index: 0,
        op: "sum",
        body: binary("times", entryOf("policy"), slotInput(0)),
        slots: [],
        sources: [reduce("sum", "vocab", entryOf("policy"))],
      }),
    ),
  "kernel-axis": () =>
    rowSteps(
      any({
        tokenOutputs: [],
        exampleOutputs: [],
        scalarOutputs: [{ node: reduce("logSumExp", "batch", exampleInput("x")), slot: 0 }],
      }),
    ),
  "kernel-leaf": () =>
    scope(() => null, { next: 0 }, singles).value(binary("times", param("beta"), constant(2))),
  "kernel-type": () => k.plus(k.u32(1), k.f32(1)),
  "kernel-ill-formed": () =>
    verifyKernel({
      name: "row program",
      bindings: [],
      workgroup: 64,
      shared: [],
      body: [k.when(k.infix(k.lane, "==", k.u32(0)), [k.barrier])],
      grid: "work",
    }),
  "value-not-laid-out": () =>
    layOut(compile(sft()).program.value, { responses: ["y"], inputs: [], params: [] }).paramSlot(
      "beta",
    ),
  "moment-missing": () => movedMoment([{ model: "policy", d: 1, k: 1 }], () => true, []),
};
