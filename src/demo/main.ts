// `npm start`: the main job from end to end. Two objectives are compiled from their formulas and run on a batch that TRL
// recorded and on one with the vocabulary of Llama 3; loss, gradient and metrics stand beside TRL's and the interpreter's.
// Exit code 1 when they disagree by more than the tolerance, or when there is nothing to run on.
import { performance } from "node:perf_hooks";
import {
  compile,
  dpo,
  openDevice,
  PrefcError,
  wpo,
  type Batch,
  type Compiled,
  type Device,
} from "../index.ts";
import { acceptedGpuError } from "../check/error.ts";
import { directionBytes, type DirectionBytes } from "../explain/bytes.ts";
import { exactShape } from "../explain/shape.ts";
import type { PairwiseObjective } from "../objectives/pairwise.ts";
import { generated } from "./generated.ts";
import { bad, good } from "./layout.ts";
import { between, measure } from "./measure.ts";
import { recorded, type Recorded } from "./recorded.ts";
import { isAccepted, report, type Check, type Column, type Section } from "./report.ts";

const seed = 20_240_612;

/** Bytes of logits that value and gradient of this batch move, and the floor. */
function trafficOf(compiled: Compiled, { responses, examples, vocab }: Batch): DirectionBytes {
  const rows = Object.fromEntries(
    Object.entries(responses).map(([name, { labels }]) => [name, labels.length]),
  );
  const shape = exactShape({ rows, examples, vocab }, compiled.objective.responses);
  const plan = compiled.plan("valueAndGrad", vocab);
  return directionBytes(compiled.program, "valueAndGrad", plan, shape);
}

async function section(
  device: Device,
  title: string,
  objective: PairwiseObjective,
  record: Recorded,
  large: Batch,
): Promise<Section> {
  const start = performance.now();
  const compiled = compile(objective, { device });
  compiled.wgsl(large.vocab);
  const compileTime = performance.now() - start;

  const column = async (name: string, batch: Batch, trl: Recorded | null): Promise<Column> => {
    const measured = await measure(compiled, batch, record.params);
    const plain = acceptedGpuError();
    const checks: Check[] = [
      {
        against: "interpreter",
        errors: between(measured.gpu, measured.interpreter),
        accepted: { loss: plain, gradient: plain },
      },
    ];
    if (trl !== null) {
      checks.push({
        against: "TRL",
        errors: between(measured.gpu, trl),
        accepted: {
          loss: acceptedGpuError(trl.float32.loss),
          gradient: acceptedGpuError(trl.float32.gradient),
        },
      });
    }
    return { title: name, batch, ...measured, bytes: trafficOf(compiled, batch), checks };
  };
  const columns = [
    await column("recorded from TRL", record.batch, record),
    await column("vocabulary of Llama 3", large, null),
  ] as const;
  compiled.dispose();
  return { title, compiled, compileTime, recorded: record, columns };
}

async function main(): Promise<number> {
  const device = await openDevice();
  console.log(`adapter  ${device.line}\n`);
  const large = generated(seed);
  const sections = [
    () =>
      section(
        device,
        "WPO: DPO, each pair weighted by how likely the policy is to produce it",
        wpo(),
        recorded("trl-wpo"),
        large,
      ),
    () =>
      section(
        device,
        "DPO: −log σ(β · difference of the log-ratios)",
        dpo(),
        recorded("trl-dpo"),
        large,
      ),
  ];
  let wrong = 0;
  for (const make of sections) {
    const done = await make();
    console.log(`${report(done)}\n`);
    wrong += done.columns
      .flatMap(({ checks }) => checks)
      .filter((check) => !isAccepted(check)).length;
  }
  console.log(
    wrong === 0
      ? good("Every loss and gradient agrees.")
      : bad(
          `${wrong} of the comparisons above exceed what is accepted; that is a fault of prefc or of the adapter.`,
        ),
  );
  return wrong === 0 ? 0 : 1;
}

// Dawn keeps the process alive, so it ends with an explicit code, after what was printed has been written.
const finish = (code: number): void => {
  process.stdout.write("", () => process.exit(code));
};

try {
  finish(await main());
} catch (error) {
  if (!(error instanceof PrefcError)) throw error;
  console.error(error.message);
  finish(1);
}
