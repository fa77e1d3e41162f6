// WGSL that the compiler rejects becomes an error that names the line, on a device and, without one, on the null backend.
import { describe, expect, it } from "vitest";
import type { Device } from "../../src/runtime/device/device.ts";
import { createPipeline, showDiagnostic, validateWgsl } from "../../src/runtime/shaders/shaders.ts";
import { withDevice } from "../support/device.ts";

const good = `@group(0) @binding(0) var<storage, read_write> result: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  result[id.x] = 1.0;
}
`;
const illTyped = good.replace("1.0", "1u");
/** The type error is found at the equals sign. */
const equals = (illTyped.split("\n")[2] ?? "").indexOf("=") + 1;
const divergent = `@group(0) @binding(0) var<storage, read_write> result: array<u32>;
@compute @workgroup_size(64) fn main(@builtin(local_invocation_id) id: vec3u) {
  if (id.x == 0u) {
    workgroupBarrier();
  }
  result[id.x] = 1u;
}
`;
const oversized = good.replace("@workgroup_size(64)", "@workgroup_size(65536)");

describe("checking WGSL without a device", () => {
  it("finds nothing wrong with a valid shader, with f16 and subgroups enabled too", async () => {
    expect(await validateWgsl(good)).toEqual([]);
    expect(await validateWgsl(`enable f16;\nenable subgroups;\n${good}`)).toEqual([]);
  });

  it("gives line and column of a type error, of a barrier in divergent control flow, and of nonsense", async () => {
    expect(await validateWgsl(illTyped)).toMatchObject([{ line: 3, column: equals }]);
    const [uniformity] = await validateWgsl(divergent);
    expect(uniformity).toMatchObject({ line: 4, column: 5 });
    expect(uniformity?.message).toContain("uniform control flow");
    expect(await validateWgsl("fn main() {\n  let 1 = 2;\n}")).toMatchObject([
      { line: 2, column: 7 },
    ]);
  });

  it("knows the limits that every device grants", async () => {
    const [problem] = await validateWgsl(oversized);
    expect(problem?.message).toContain("65536");
    expect(
      await validateWgsl(
        `${good}\n${good.split("\n").slice(1).join("\n").replace("main", "other").replace("64", "65536")}`,
      ),
    ).toHaveLength(1);
  });
});

describe("a diagnostic as text", () => {
  it("shows the source line with a mark under the column, before the rest of the message", () => {
    const text = showDiagnostic({ line: 2, column: 3, message: "odd\nsee also" }, "a\nb c d\ne");
    expect(text.split("\n")).toEqual(["line 2, column 3: odd", "  b c d", "    ^", "see also"]);
  });

  it("is the message alone when it has no place", () => {
    expect(showDiagnostic({ line: 0, column: 0, message: "odd" }, "a")).toBe("odd");
  });
});

describe("a pipeline", () => {
  let device: Device;

  withDevice((opened) => {
    device = opened;
  });

  it("is made of a valid shader", async () => {
    const pipeline = await createPipeline(device, good, "good");
    expect(pipeline.label).toBe("good");
  });

  it("is refused with the shader's name, the place and the source line", async () => {
    const creating = createPipeline(device, illTyped, "ill typed");
    await expect(creating).rejects.toMatchObject({ code: "shader-rejected" });
    await expect(creating).rejects.toThrow('"ill typed"');
    await expect(creating).rejects.toThrow(`line 3, column ${equals}`);
    await expect(creating).rejects.toThrow("result[id.x] = 1u;");
  });

  it("is refused when it exceeds the device's limits or lacks the entry point", async () => {
    const code = "shader-rejected";
    await expect(createPipeline(device, oversized, "large")).rejects.toMatchObject({ code });
    const missing = createPipeline(device, good, "good", { entryPoint: "elsewhere" });
    await expect(missing).rejects.toMatchObject({ code });
    await expect(missing).rejects.toThrow("elsewhere");
  });

  it("leaves no stray errors on the device", async () => {
    await createPipeline(device, illTyped, "ill typed").catch(() => undefined);
    await createPipeline(device, oversized, "large").catch(() => undefined);
    expect(device.takeErrors()).toEqual([]);
  });
});
