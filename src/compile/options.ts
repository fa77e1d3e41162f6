// The options of compiling and of runs, each with what it accepts, so that nothing that is given is left unread.

import { isGpuBuffer } from "../batch/logits.ts";
import type { Program } from "../pipeline/pipeline.ts";
import { describe } from "../core/describe.ts";
import { fail } from "../core/error.ts";
import { checkedElsewhere, checkOptions, isOptionsObject, type KindsOf } from "../core/options.ts";
import { cite, quote } from "../core/quote.ts";
import type { StorageType } from "../core/storage.ts";
import { checkDtype, checkSize } from "../explain/shape.ts";
import { requireObjective, type Objective } from "../dsl/objective.ts";
import type { CompileOptions, GradientOptions, RunOptions } from "./api.ts";

const byName = (example: string): { expected: string; fits: (value: unknown) => boolean } => ({
  expected: `an object such as ${example}`,
  fits: isOptionsObject,
});

const compileOptions: KindsOf<CompileOptions> = {
  device: checkedElsewhere,
  schedule: checkedElsewhere,
  heights: byName('{ ref: "logps" }'),
  metrics: "boolean",
  fusion: "boolean",
};

const runOptions: KindsOf<RunOptions> = {
  params: byName("{ beta: 0.05 }"),
  state: byName("what the step before returned as its state"),
  perExample: "boolean",
  locate: "boolean",
  timeoutMs: checkedElsewhere,
  profile: "boolean",
};

const gradientOptions: KindsOf<GradientOptions> = {
  ...runOptions,
  gradients: ["read", "keep"],
  into: byName("{ policy: buffer }"),
};

/** The names that a run takes values of. */
const namesIn = ({
  params,
  source,
}: Program): { params: readonly string[]; state: readonly string[] } => ({
  params: params.filter(({ kind }) => kind === "param").map(({ name }) => name),
  state: Object.keys(source.next ?? {}),
});

/** @throws PrefcError not-an-objective, unknown-option, option-value, not-a-device */
export function checkCompile(objective: Objective, options: CompileOptions): void {
  requireObjective("compile", objective);
  checkOptions("compile", compileOptions, options, {
    example: "{ device }",
    hint: (name) =>
      name in compileOptions || !isParameter(objective, name)
        ? undefined
        : ` Give a parameter to a run, as valueAndGrad(batch, { params: { ${name}: … } }), or to the objective as its default.`,
  });
  const { device } = options as { readonly device?: unknown };
  if (device !== undefined) requireDevice("compile", device);
}

/** Whether some name is a parameter of an objective that has not been compiled. */
function isParameter(objective: Objective, wanted: string): boolean {
  const seen = new Set<unknown>();
  const visit = (node: Objective["loss"]): boolean => {
    if (seen.has(node)) return false;
    seen.add(node);
    return (node.tag === "param" && node.name === wanted) || node.args.some(visit);
  };
  return visit(objective.loss);
}

/** @throws PrefcError not-a-device */
function requireDevice(where: string, device: unknown): void {
  if (
    typeof device === "object" &&
    device !== null &&
    "info" in device &&
    "limits" in device &&
    !("createBuffer" in device)
  )
    return;
  const isRaw = typeof device === "object" && device !== null && "createBuffer" in device;
  const advice =
    device instanceof Promise
      ? "await it, as in { device: await openDevice() }"
      : isRaw
        ? "wrap it, as in { device: await adoptDevice(device) }"
        : "give what openDevice() or adoptDevice(gpu) resolves to";
  const what = isRaw ? "a GPUDevice" : describe(device, "an object that is none of prefc's");
  fail("not-a-device", `${where}: the device is ${what}; ${advice}.`);
}

/** @throws PrefcError option-value, shape-size, unknown-dtype */
export function checkPlanned(
  direction: "value" | "valueAndGrad",
  vocab: number,
  dtype: StorageType = "f32",
  rows: number = Infinity,
): void {
  if (direction !== "value" && direction !== "valueAndGrad") {
    fail(
      "option-value",
      `plan: the direction is ${describe(direction)}; give "value" or "valueAndGrad".`,
    );
  }
  checkSize("vocab", vocab, "plan");
  checkDtype(dtype, "plan");
  if (rows !== Infinity) checkSize("rows", rows, "plan");
}

/**
 * Checks the options of a run.
 * @throws PrefcError unknown-option, option-value, not-a-buffer
 */
export function checkRun(
  direction: "value" | "valueAndGrad",
  program: Program,
  options: GradientOptions,
): void {
  const kinds = direction === "value" ? runOptions : gradientOptions;
  const names = namesIn(program);
  checkOptions(direction, kinds, options, {
    example: "{ params: { beta: 0.05 } }",
    hint: (name) =>
      names.params.includes(name)
        ? ` Did you mean params: { ${name}: … }?`
        : names.state.includes(name)
          ? ` Did you mean state: { ${name}: … }?`
          : direction === "value" && name in gradientOptions
            ? " It is an option of valueAndGrad; value takes no gradient."
            : undefined,
  });
  for (const [tensor, buffer] of Object.entries(options.into ?? {})) {
    if (buffer === undefined || isGpuBuffer(buffer)) continue;
    fail(
      "not-a-buffer",
      `${direction}: what into gives for ${cite(tensor)} is ${describe(buffer)}, which is no GPUBuffer; give a buffer with the usage STORAGE, or leave it out and find the gradient in the result under gradients[${quote(tensor)}].`,
    );
  }
}
