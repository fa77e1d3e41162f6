// `npm start`: the main job from end to end. Two objectives are compiled from their formulas and run on a batch that TRL
// recorded and on one with the vocabulary of Llama 3; loss, gradient and metrics stand beside TRL's and the interpreter's.
// Exit code 1 when they disagree by more than is accepted, or when there is nothing to run on.
import { applyTimeout } from "../cli/timeout.ts";
import { cite } from "../core/quote.ts";
import { dpo, openDevice, PrefcError, wpo } from "../index.ts";
import { generated } from "./generated.ts";
import { bad, good } from "./layout.ts";
import { recorded } from "./recorded.ts";
import { report } from "./report.ts";
import { disagreements, section } from "./section.ts";

const seed = 20_240_612;

const objectives = [
  ["WPO: DPO, each pair weighted by how likely the policy is to produce it", wpo, "trl-wpo"],
  ["DPO: −log σ(β · difference of the log-ratios)", dpo, "trl-dpo"],
] as const;

async function main(): Promise<number> {
  const [unknown] = applyTimeout(process.argv.slice(2));
  if (unknown !== undefined) {
    throw new PrefcError(
      "unknown-option",
      `npm start: there is no option ${cite(unknown)}; the option is --timeout, in seconds.`,
    );
  }
  const device = await openDevice();
  console.log(`adapter  ${device.line}\n`);
  const large = generated(seed);
  let wrong = 0;
  for (const [title, make, file] of objectives) {
    const done = await section(device, title, make(), recorded(file), large);
    console.log(`${report(done)}\n`);
    wrong += disagreements(done);
  }
  console.log(
    wrong === 0
      ? good("Every loss and gradient agrees.")
      : bad(
          `${wrong} of the comparisons above exceed what is accepted: a fault of prefc or of the adapter.`,
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
