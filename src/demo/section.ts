// One objective of the demonstration: compiled, run on the recorded and on the large batch, and compared with what TRL
// recorded and with the interpreter.
import { performance } from "node:perf_hooks";
import { compile, type Batch, type Compiled, type Device, type Objective } from "../index.ts";
import { acceptedGpuError } from "../check/error.ts";
import { directionBytes, type DirectionBytes } from "../explain/bytes.ts";
import { exactShape } from "../explain/shape.ts";
import { between, measure } from "./measure.ts";
import type { Recorded } from "./recorded.ts";
import { isAccepted, type Check, type Column, type Section } from "./report.ts";

/** Bytes of logits and gradient that this batch moves, and the floor. */
function bytesOf(compiled: Compiled, { responses, examples, vocab }: Batch): DirectionBytes {
  const names = compiled.objective.responses;
  const rows = Object.fromEntries(names.map((name) => [name, responses[name]!.labels.length]));
  const plan = compiled.plan("valueAndGrad", vocab);
  const shape = exactShape({ rows, examples, vocab }, names);
  return directionBytes(compiled.program, "valueAndGrad", plan, shape);
}

/** Compiles and runs everything that the report of an objective shows. */
export async function section(
  device: Device,
  title: string,
  objective: Objective,
  record: Recorded,
  large: Batch,
): Promise<Section> {
  const start = performance.now();
  const compiled = compile(objective, { device });
  compiled.wgsl(large.vocab);
  const compileTime = performance.now() - start;

  const column = async (name: string, batch: Batch, trl: Recorded | null): Promise<Column> => {
    const measured = await measure(compiled, batch, record.params);
    const usual = acceptedGpuError();
    const checks: Check[] = [
      {
        against: "interpreter",
        errors: between(measured.gpu, measured.interpreter),
        accepted: { loss: usual, gradient: usual },
      },
    ];
    if (trl !== null) {
      const { loss, gradient } = trl.float32;
      checks.push({
        against: "TRL",
        errors: between(measured.gpu, trl),
        accepted: { loss: acceptedGpuError(loss), gradient: acceptedGpuError(gradient) },
      });
    }
    return { title: name, batch, ...measured, bytes: bytesOf(compiled, batch), checks };
  };
  const columns = [
    await column("recorded from TRL", record.batch, record),
    await column("vocabulary of Llama 3", large, null),
  ] as const;
  compiled.dispose();
  return { title, compiled, compileTime, recorded: record, columns };
}

/** How many comparisons exceed what is accepted. */
export const disagreements = ({ columns }: Section): number =>
  columns.flatMap(({ checks }) => checks).filter((check) => !isAccepted(check)).length;
