// The worker of the sandbox: runs a visitor's module and sends what the compiler knows of its objective, part by part. It does one
// task, after which the sandbox ends it.

import { checkObjective } from "../../src/check/check.ts";
import { PrefcError } from "../../src/core/error.ts";
import { printExpression } from "../../src/core/print.ts";
import { visible } from "../../src/core/quote.ts";
import { svg } from "../../src/draw/plot.ts";
import { explanationText } from "../../src/explain/text.ts";
import {
  builtIn,
  builtIns,
  compile,
  emitTorch,
  openDevice,
  type Objective,
} from "../../src/index.ts";
import { kinkText } from "../../src/kinks/told.ts";
import { againstOf } from "../../src/plots/against.ts";
import { plotOf } from "../../src/plots/plot.ts";
import { curvesOf } from "../../src/plots/sweep.ts";
import { emitTriton } from "../../src/triton/emit.ts";
import type { Answer, Part, Task } from "./messages.ts";
import { objectiveOf, wrongOf } from "./module.ts";

// kept before a visitor's module could put something else in its place
const { postMessage } = globalThis as unknown as { postMessage: (answer: Answer) => void };
const send = (answer: Answer): void => postMessage(answer);
const lines = (text: string): string => text.split("\n").map(visible).join("\n");

/** A part, or the sentence that says why there is none. */
function part(heading: string, make: () => Omit<Part, "heading">): void {
  try {
    send({ kind: "part", part: { heading, ...make() } });
  } catch (error) {
    if (!(error instanceof PrefcError)) throw error;
    send({ kind: "part", part: { heading, text: lines(error.message) } });
  }
}

/** The gradient with respect to each input, as one expression each. */
const gradients = (objective: Objective): string =>
  compile(objective)
    .program.gradients.map(
      ({ input, node }) => `d loss / d ${input.name} =\n  ${printExpression(node, 60)}`,
    )
    .join("\n\n");

/** The figures by which two objectives are compared. */
function figures(objective: Objective): readonly string[] {
  const { valueAndGrad, statistics, differentiated } = compile(objective).explain();
  const names = [...new Set(statistics.map(({ name }) => name))];
  return [
    visible(objective.name),
    String(valueAndGrad.dispatches),
    names.join(", "),
    differentiated.join(", "),
  ];
}
function compared(objective: Objective, other: Objective): string {
  const [mine, theirs] = [figures(objective), figures(other)];
  const rows = ["objective", "dispatches", "statistics", "differentiated"];
  return rows
    .map((row, at) =>
      mine[at] === theirs[at]
        ? `${row.padEnd(16)}${mine[at]}, both`
        : `${row.padEnd(16)}${mine[at]}\n${"".padEnd(16)}${theirs[at]}`,
    )
    .join("\n");
}

function run({ code, beside, against: text }: Extract<Task, { kind: "run" }>): void {
  const objective = objectiveOf(code);
  const others = beside === "" ? [] : [builtIn(beside)];
  const compiled = compile(objective);
  const explanation = compiled.explain();
  part("Formula", () => ({ text: lines(`loss = ${printExpression(objective.loss, 60)}`) }));
  part("Loss and gradient", () => {
    const all = [objective, ...others];
    const against = againstOf(
      text,
      all.map(({ loss }) => loss),
      {},
    );
    const drawn = all.map((one, at) => ({
      name: at > 0 && one.name === objective.name ? `built-in ${one.name}` : visible(one.name),
      curves: curvesOf(one, against),
    }));
    return { text: against.fixed, picture: svg(plotOf(drawn, against)) };
  });
  for (const other of others) part("What differs", () => ({ text: compared(objective, other) }));
  part("Plan, statistics and kinks", () => ({ text: lines(explanationText(explanation)) }));
  part("Gradient", () => ({ text: lines(gradients(objective)), folded: true }));
  const { vocab, dtype } = explanation.shape;
  for (const { name, wgsl } of compiled.wgsl(vocab, dtype)) {
    part(`Kernel: ${visible(name)}`, () => ({ text: wgsl, folded: true, copied: true }));
  }
  part("PyTorch", () => ({
    text: emitTorch(objective, { from: "statistics" }).text,
    folded: true,
    copied: true,
  }));
  part("Triton", () => ({
    text: emitTriton(objective, { from: "logits" }).text,
    folded: true,
    copied: true,
  }));
  const passed = explanation.valueAndGrad.dispatches;
  send({ kind: "done", text: `${visible(objective.name)}: ${passed} dispatches.` });
}

async function check({ code, batches, gpu }: Extract<Task, { kind: "check" }>): Promise<void> {
  const objective = objectiveOf(code);
  const device = gpu ? await openDevice() : null;
  if (device !== null) send({ kind: "line", text: `GPU ${visible(device.line)}` });
  let [count, failed] = [0, 0];
  const told = new Set<string>();
  for await (const report of checkObjective(objective, { batches, seed: 1, device })) {
    const { batch, examples, tokens, vocab, differences, failures, kinks } = report;
    count++;
    if (failures.length > 0) failed++;
    const errors = [
      `differences ${differences.toExponential(1)}`,
      ...(report.gpu === null ? [] : [`GPU gradient ${report.gpu.gradient.toExponential(1)}`]),
    ];
    const verdict = failures.length === 0 ? "ok" : `FAILED: ${failures.join("; ")}`;
    send({
      kind: "line",
      text: `batch ${batch}: ${examples} examples, ${tokens} tokens, vocabulary ${vocab}, ${errors.join(", ")}: ${lines(verdict)}`,
    });
    for (const kink of kinks.filter(({ term }) => !told.has(term))) {
      told.add(kink.term);
      send({ kind: "line", text: `kink ${lines(kinkText(kink))}` });
    }
  }
  device?.dispose();
  const verdict =
    failed === 0 ? `all ${count} batches passed` : `${failed} of ${count} batches failed`;
  send({ kind: "done", text: `Check: ${verdict}.` });
}

globalThis.addEventListener("message", (event) => {
  const task = (event as MessageEvent<Task>).data;
  void (async (): Promise<void> => {
    try {
      if (task.kind === "names") send({ kind: "names", names: Object.keys(builtIns) });
      else if (task.kind === "run") run(task);
      else await check(task);
    } catch (error) {
      send({ kind: "failed", ...wrongOf(error) });
    }
  })();
});
