// The benchmark's independent loss: interpreted a few examples at a time, it is what the interpreter says of the whole
// batch, for every built-in objective that reads logits.
import { describe, expect, it } from "vitest";
import { batchOf, hostPart } from "../../src/bench/data.ts";
import { layOut } from "../../src/bench/layout.ts";
import type { DeviceLogits } from "../../src/bench/logits.ts";
import { truthOn } from "../../src/bench/truth.ts";
import { builtIns, compile, evaluate } from "../../src/index.ts";

/** Logits that the truth must not look at: it makes its own from their positions. */
const nothing = {} as DeviceLogits;

describe("the truth of a benchmark", () => {
  it.each(Object.keys(builtIns))("is the interpreter's loss of %s", (name) => {
    const { program } = compile(builtIns[name]!.make());
    const layout = layOut({
      rows: 61,
      vocab: 9,
      padding: 0.3,
      responses: program.responses,
      fewestExamples: 2,
    });
    const batch = batchOf(layout, program, nothing);
    const whole = hostPart(layout, program.inputs, batch, { dtype: "bf16", data: "peaked" }, [
      0,
      layout.examples,
    ]);
    const [expected] = evaluate([program.loss], whole, {});
    const loss = truthOn(layout, { dtype: "bf16", data: "peaked" }).loss(program, batch, {});
    expect(loss).not.toBeNull();
    expect(loss).toBeCloseTo(expected!.data[0]!, 12);
  });
});
