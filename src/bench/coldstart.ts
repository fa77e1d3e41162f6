// The process that `prefc bench --cold` starts: takes one first gradient and prints, as JSON, when each step of it was done. It is
// a program of its own and is imported by nothing.

interface Asked {
  readonly objective: string;
  readonly rows: number;
  readonly vocab: number;
  readonly adapter?: string;
  readonly timeoutMs: number;
}

const marks: [step: string, at: number][] = [];
const mark = (step: string): void => void marks.push([step, Date.now()]);

async function main(): Promise<void> {
  const { objective, rows, vocab, adapter, timeoutMs } = JSON.parse(process.argv[2]!) as Asked;
  mark("process");
  const { builtIn, compile, openDevice } = await import("../index.ts");
  const { layOut } = await import("./layout.ts");
  const { batchOf } = await import("./data.ts");
  const { uploadLogits } = await import("./logits.ts");
  mark("import");
  const device = await openDevice(adapter === undefined ? {} : { adapter });
  mark("adapter");
  const compiled = compile(builtIn(objective), { device });
  compiled.plan("valueAndGrad", vocab);
  mark("formula to WGSL");
  const { program } = compiled;
  const held = await uploadLogits(device, rows, vocab, "f32", "uniform");
  const request = { rows, vocab, padding: 0, responses: program.responses, fewestExamples: 2 };
  const batch = batchOf(layOut(request), program, held);
  await device.gpu.queue.onSubmittedWorkDone();
  mark("data to the device");
  await compiled.valueAndGrad(batch, { gradients: "keep", timeoutMs });
  const first = Date.now();
  await compiled.valueAndGrad(batch, { gradients: "keep", timeoutMs });
  const run = Date.now() - first;
  // the driver compiles before or in the first run, by driver; what a second run takes is the run itself
  marks.push(["driver", first - run], ["run", first]);
  process.stdout.write(`${JSON.stringify({ device: device.line, marks })}\n`);
}

await main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
