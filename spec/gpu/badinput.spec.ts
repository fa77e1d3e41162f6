// What happens to wrong input on a device: each mistake ends in one sentence with a code, that says what, where and what to do.
// A NaN or an infinity that the kernels meet is found by its bits, whatever the driver makes of such numbers; what no
// completion token reads may hold anything; −Infinity masks an entry and is legal.
import { describe, expect, it } from "vitest";
import {
  adoptDevice,
  compile,
  dpo,
  exp,
  mean,
  objective,
  openDevice,
  PrefcError,
  sum,
  wpo,
  type Batch,
  type Compiled,
  type Device,
  type GradientOptions,
} from "../../src/index.ts";
import { bufferUsage } from "../../src/runtime/device/usage.ts";
import { usingDevice, withDevice } from "../support/device.ts";
import { expectAgreementOf } from "./agree.ts";
import {
  asSeparate,
  asTrl,
  contentOf,
  withHighInputs,
  type Content,
  type Drawn,
} from "./batches.ts";

let device: Device;
let compiled: Compiled;
let cached: Compiled;
withDevice((opened) => {
  device = opened;
  compiled = compile(dpo(), { device });
  cached = compile(dpo(), { device, heights: { ref: "logps" } });
});

/** Expects a PrefcError of this code, in one sentence that matches every pattern. */
const expectRejection = async (
  running: Promise<unknown>,
  code: string,
  ...patterns: readonly RegExp[]
): Promise<void> => {
  const thrown: unknown = await running.then(
    () => "no error",
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(PrefcError);
  const { code: found, message } = thrown as PrefcError;
  expect({ code: found, message }).toEqual({ code, message });
  for (const pattern of patterns) expect(message).toMatch(pattern);
  expect(message).toMatch(/[.?]$/);
  expect(message).not.toMatch(/\n/);
};

const drawn: Drawn = {
  examples: 2,
  vocab: 10,
  lengths: { w: [2, 3], l: [3, 1] },
  scale: "normal",
  masked: false,
  seed: 11,
};
const content = contentOf(drawn);
/** The content with one row of logits changed. */
const withRow = (key: string, token: number, change: (row: Float32Array) => void): Content => ({
  ...content,
  rows: {
    ...content.rows,
    [key]: content.rows[key]!.map((row, position) => {
      if (position !== token) return row;
      const copy = row.slice();
      change(copy);
      return copy;
    }),
  },
});
const labelOf = (response: string, token: number): number =>
  content.labels[response]!.flat()[token]!;
const otherThan = (label: number): number => (label + 3) % drawn.vocab;
const usable = (): Batch => withHighInputs(asTrl(content), 3);

describe("a logit that is no number", () => {
  // the token 3 of "w" is token 1 of example 1; both models, both vector widths are met by the two vocabularies elsewhere
  for (const model of ["policy", "ref"] as const) {
    for (const value of [Number.NaN, Infinity]) {
      for (const where of ["at another entry", "at the label"] as const) {
        it(`${model}, ${value}, ${where}: is reported with its place, and with its column when asked`, async () => {
          const label = labelOf("w", 3);
          const column = where === "at the label" ? label : otherThan(label);
          const batch = asSeparate(withRow(`${model}.w`, 3, (row) => (row[column] = value)));
          const place = new RegExp(
            `token 1 of response "w" of example 1 \\(row 3 of the ${model} logits\\)`,
          );
          await expectRejection(compiled.value(batch), "logits-not-finite", place, /locate: true/);
          await expectRejection(compiled.valueAndGrad(batch), "logits-not-finite", place);
          await expectRejection(
            compiled.value(batch, { locate: true }),
            "logits-not-finite",
            place,
            new RegExp(`column ${column} is ${value}`),
          );
        });
      }
    }
  }

  it("is found in a GPU buffer too, and the compiled objective is usable afterwards", async () => {
    const bad = asTrl(withRow("policy.l", 0, (row) => (row[7] = Number.NaN)));
    const tensor = (
      bad.inputs["policy.logits.l"] as {
        tensor: { data: Float32Array; name: string; rows: number };
      }
    ).tensor;
    const data = device.gpu.createBuffer({
      size: tensor.data.byteLength,
      usage: bufferUsage.storage | bufferUsage.copyTarget | bufferUsage.copySource,
    });
    device.gpu.queue.writeBuffer(data, 0, tensor.data);
    const moved = { ...tensor, data };
    const inputs = Object.fromEntries(
      Object.entries(bad.inputs).map(([name, binding]) => [
        name,
        binding.height === "logits" && binding.tensor === tensor
          ? { ...binding, tensor: moved }
          : binding,
      ]),
    );
    const running = compiled.value({ ...bad, inputs }, { locate: true });
    await expectRejection(
      running,
      "logits-not-finite",
      /column 7 is NaN/,
      /token 0 of response "l" of example 0/,
    );
    data.destroy();
    await expectAgreementOf(compiled, usable());
  });

  it("names the first of several tokens, chosen before rejected", async () => {
    const both = withRow("policy.w", 4, (row) => row.fill(Number.NaN));
    const rows = {
      ...both.rows,
      "policy.l": both.rows["policy.l"]!.map((row) => row.map(() => Infinity)),
    };
    await expectRejection(
      compiled.value(asTrl({ ...both, rows })),
      "logits-not-finite",
      /token 2 of response "w" of example 1/,
    );
  });

  it("is not looked for where no completion token reads", async () => {
    const batch = asTrl(content, { columns: 2, prompt: 3 });
    const binding = batch.inputs["policy.logits.w"]!;
    const { data } = (binding as { tensor: { data: Float32Array } }).tensor;
    expect([...data].some(Number.isNaN)).toBe(true);
    const { gradients } = await expectAgreementOf(compiled, batch);
    expect([...(gradients["policy"] as Float32Array)].every(Number.isFinite)).toBe(true);
  });
});

describe("−Infinity", () => {
  it.each(["policy", "ref"])("at the label of %s is impossible", async (model) => {
    const batch = asSeparate(withRow(`${model}.l`, 3, (row) => (row[labelOf("l", 3)] = -Infinity)));
    await expectRejection(
      compiled.valueAndGrad(batch),
      "label-impossible",
      new RegExp(`The ${model} logit of the label itself, ${labelOf("l", 3)}, is −Infinity`),
      /token 0 of response "l" of example 1/,
    );
  });

  it("elsewhere has probability and gradient exactly 0", async () => {
    const label = labelOf("w", 0);
    const masked = [otherThan(label), otherThan(otherThan(label))];
    const batch = asSeparate(
      withRow("policy.w", 0, (row) => masked.forEach((v) => (row[v] = -Infinity))),
    );
    for (const one of [compiled, compile(wpo({ stop: false }), { device })]) {
      const { gradients } = await expectAgreementOf(one, batch);
      const row = (gradients["policy.w"] as Float32Array).subarray(0, drawn.vocab);
      for (const v of masked) expect(Math.abs(row[v]!)).toBe(0);
      expect(row[label]).not.toBe(0);
    }
  });

  it("everywhere but at the label leaves probability 1 and no gradient", async () => {
    const batch = asSeparate(
      withRow("policy.w", 1, (row) =>
        row.forEach((_, v) => v !== labelOf("w", 1) && (row[v] = -Infinity)),
      ),
    );
    const { gradients } = await expectAgreementOf(compiled, batch);
    const row = (gradients["policy.w"] as Float32Array).subarray(drawn.vocab, 2 * drawn.vocab);
    expect([...row].map(Math.abs)).toEqual(Array.from({ length: drawn.vocab }, () => 0));
  });
});

describe("a batch that does not fit the objective", () => {
  const without = (name: string): Batch => {
    const { [name]: _, ...inputs } = usable().inputs;
    return { ...usable(), inputs };
  };
  const policy = () =>
    usable().inputs["policy.logits.w"] as {
      height: "logits";
      rowIndex: Uint32Array;
      tensor: { name: string; data: Float32Array; rows: number };
    };
  const withBinding = (name: string, binding: unknown): Batch => ({
    ...usable(),
    inputs: { ...usable().inputs, [name]: binding } as Batch["inputs"],
  });

  it("an input is missing", () =>
    expectRejection(compiled.value(without("ref.logits.l")), "missing-input", /"ref.logits.l"/));
  it("logits hold too few numbers", () => {
    const { tensor, ...rest } = policy();
    const data = tensor.data.slice(0, -1);
    const batch = withBinding("policy.logits.w", { ...rest, tensor: { ...tensor, data } });
    return expectRejection(
      compiled.value(batch),
      "logits-too-small",
      /"policy"/,
      /rows of 10 need/,
    );
  });
  it("logits are in half precision", () => {
    const { tensor, ...rest } = policy();
    const data = new Uint16Array(tensor.data.length);
    const batch = withBinding("policy.logits.w", { ...rest, tensor: { ...tensor, data } });
    return expectRejection(compiled.value(batch), "logits-dtype", /Uint16Array/, /Float32Array/);
  });
  it("a GPU buffer holds too few bytes", () => {
    const { tensor, ...rest } = policy();
    const data = device.gpu.createBuffer({ size: 64, usage: bufferUsage.storage });
    const batch = withBinding("policy.logits.w", { ...rest, tensor: { ...tensor, data } });
    return expectRejection(compiled.value(batch), "logits-too-small", /64 bytes/).finally(() =>
      data.destroy(),
    );
  });
  it("a GPU buffer is no storage buffer", () => {
    const { tensor, ...rest } = policy();
    const data = device.gpu.createBuffer({
      size: tensor.data.byteLength,
      usage: bufferUsage.copyTarget,
    });
    const batch = withBinding("policy.logits.w", { ...rest, tensor: { ...tensor, data } });
    return expectRejection(compiled.value(batch), "buffer-usage", /STORAGE/).finally(() =>
      data.destroy(),
    );
  });
  it("two tokens read one row", () => {
    const binding = policy();
    const rowIndex = binding.rowIndex.slice();
    rowIndex[1] = rowIndex[0]!;
    const batch = withBinding("policy.logits.w", { ...binding, rowIndex });
    return expectRejection(
      compiled.valueAndGrad(batch),
      "row-used-twice",
      new RegExp(`Row ${rowIndex[0]} of the policy logits`),
    );
  });
  it.each([Number.NaN, Infinity])("a cached log-probability is %d", (value) => {
    const values = (usable().inputs["ref.logps.w"] as { values: Float32Array }).values.slice();
    values[1] = value;
    const batch = withBinding("ref.logps.w", { height: "example", values });
    return expectRejection(
      cached.value(batch),
      "input-not-finite",
      /"ref.logps.w" is (NaN|Infinity) for example 1/,
    );
  });
});

describe("parameters", () => {
  it("unknown", () =>
    expectRejection(
      compiled.value(usable(), { params: { betta: 1 } }),
      "unknown-parameter",
      /"betta"/,
      /Did you mean "beta"/,
    ));
  it.each([Number.NaN, Infinity])("not finite: %d", (beta) =>
    expectRejection(
      compiled.value(usable(), { params: { beta } }),
      "parameter-not-finite",
      /"beta"/,
    ),
  );
  it("missing, without a default", async () => {
    const { param } = await import("../../src/index.ts");
    const own = objective("needs", ["w"], (g) => param("scale").times(g.policy.logps(g.y.w)), {
      source: "written for this test",
    });
    await expectRejection(compile(own, { device }).value(usable()), "missing-parameter", /"scale"/);
  });
  it.each([1e39, -1e39])("outside the range of f32: %d", async (scale) => {
    const { param } = await import("../../src/index.ts");
    // a parameter of either sign, which no range of its own refuses first
    const own = objective("scaled", ["w"], (g) => param("scale", 1).times(g.policy.logps(g.y.w)), {
      source: "written for this test",
    });
    const running = compile(own, { device }).value(usable(), { params: { scale } });
    await expectRejection(running, "parameter-exceeds-f32", /"scale"/);
  });
  it("outside a range of its own", () =>
    expectRejection(
      compiled.value(usable(), { params: { beta: -1 } }),
      "parameter-out-of-range",
      /"beta"/,
    ));
});

describe("a value that leaves the range of f32", () => {
  it("is no silent infinity: the loss", async () => {
    const own = objective("huge", ["w"], (g) => exp(g.policy.logps(g.y.w).times(-10)), {
      source: "written for this test",
    });
    const running = compile(own, { device }).value(usable());
    await expectRejection(running, "value-not-finite", /The loss of "huge"/, /float32/);
  });
  it("is no silent infinity: a metric", async () => {
    const own = objective(
      "fine",
      ["w"],
      (g) => ({
        loss: g.policy.logps(g.y.w),
        metrics: {
          perplexity: exp(
            mean("token", sum("vocab", g.policy.logits(g.y.w)))
              .times(1e4)
              .plus(2e5),
          ),
        },
      }),
      { source: "written for this test" },
    );
    await expectRejection(
      compile(own, { device }).value(usable()),
      "value-not-finite",
      /The metric "perplexity"/,
    );
  });
});

describe("memory", () => {
  const limited = (changed: Partial<Device>): Device => ({ ...device, ...changed });
  it("more than the byte budget is refused before anything is allocated", async () => {
    const own = compile(dpo(), { device: limited({ byteBudget: 2000 }) });
    await expectRejection(
      own.valueAndGrad(usable()),
      "byte-budget",
      /byte budget is 2000/,
      /split the batch/,
    );
    expect(own.memory()).toEqual({ buffersCreated: 0, bytes: 0 });
  });
  it("a budget of a device that is opened with one", () =>
    usingDevice(
      (small) =>
        expectRejection(compile(dpo(), { device: small }).value(usable()), "byte-budget", /1024/),
      { byteBudget: 1024 },
    ));
  it("more than one buffer may hold", () => {
    const limits = { ...device.limits, maxBufferSize: 256 };
    const own = compile(dpo(), { device: limited({ limits }) });
    return expectRejection(own.value(usable()), "buffer-exceeds-limit", /allows 256 in one buffer/);
  });
  it("a row that no binding holds", () => {
    const limits = { ...device.limits, maxStorageBufferBindingSize: 128 };
    const own = compile(dpo(), { device: limited({ limits }) });
    return expectRejection(
      own.value(usable()),
      "row-exceeds-binding",
      /maxStorageBufferBindingSize/,
    );
  });
});

describe("where a gradient is to go", () => {
  const target = (size: number, usage: number): GPUBuffer =>
    device.gpu.createBuffer({ size, usage });
  const into = (name: string, buffer: GPUBuffer): GradientOptions => ({ into: { [name]: buffer } });
  it("too small a buffer", async () => {
    const buffer = target(128, bufferUsage.storage);
    const running = compiled.valueAndGrad(usable(), into("policy", buffer));
    await expectRejection(running, "gradient-too-small", /128 bytes/, /"policy"/);
    buffer.destroy();
  });
  it("no storage buffer", async () => {
    const buffer = target(1 << 16, bufferUsage.copyTarget);
    const running = compiled.valueAndGrad(usable(), into("policy", buffer));
    await expectRejection(running, "buffer-usage", /STORAGE/);
    buffer.destroy();
  });
  it("a tensor that has none", async () => {
    const buffer = target(1 << 16, bufferUsage.storage);
    const running = compiled.valueAndGrad(usable(), into("ref", buffer));
    await expectRejection(running, "unknown-tensor", /"ref"/, /"policy"/);
    buffer.destroy();
  });
});

describe("the life of a compiled objective", () => {
  it("no device", () => expectRejection(compile(dpo()).value(usable()), "no-device", /openDevice/));
  it("used after dispose", async () => {
    const own = compile(dpo(), { device });
    await own.value(usable());
    own.dispose();
    await expectRejection(own.value(usable()), "used-after-dispose", /compile it again/);
  });
  it("disposed while runs are under way: each ends in a sentence, and nothing is left on the device", async () => {
    const own = compile(dpo(), { device });
    const runs = [own.valueAndGrad(usable()), own.value(usable()), own.value(usable())];
    own.dispose();
    for (const running of runs) await expectRejection(running, "used-after-dispose", /disposed/);
    expect(own.memory().bytes).toBe(0);
    const warm = compile(dpo(), { device });
    await warm.value(usable());
    const late = warm.valueAndGrad(usable());
    await new Promise((resolve) => setTimeout(resolve, 0));
    warm.dispose();
    await expectRejection(late, "used-after-dispose", /disposed/);
    expect(warm.memory().bytes).toBe(0);
  });
  it("a failed run does not keep later ones from running", async () => {
    const bad = asSeparate(withRow("ref.w", 0, (row) => row.fill(Number.NaN)));
    const [first, second] = [compiled.value(bad), compiled.value(usable())];
    await expectRejection(first, "logits-not-finite");
    expect((await second).loss).toBeGreaterThan(0);
  });
});

describe("a device of the user's own that is lost", () => {
  it.each(["at once", "while waiting", "before"])("%s: a sentence, never a hang", async (when) => {
    const opened = await openDevice();
    const doomed = await adoptDevice(opened.gpu);
    const own = compile(wpo(), { device: doomed });
    if (when !== "at once") await own.valueAndGrad(usable());
    if (when === "before") {
      doomed.gpu.destroy();
      await doomed.lost;
      await expectRejection(own.valueAndGrad(usable()), "device-lost", /adopt another one/);
    } else {
      const running = own.valueAndGrad(usable());
      if (when === "while waiting") await new Promise((resolve) => setTimeout(resolve, 0));
      doomed.gpu.destroy();
      await expectRejection(running, "device-lost", /adopt another one/);
    }
    await usingDevice((fresh) => expectAgreementOf(compile(wpo(), { device: fresh }), usable()));
    opened.dispose();
  });
});
