// Holds prefc to what a long-lived process needs: npm run soak -- [--adapter lavapipe] [--cycles 1000] [--devices 100]
// [--starts 100] [--faults 50] [--waits 10]. Memory stays flat, results stay the same to the last bit, a fault costs at most a
// step, every start of the command line ends as it should, and a wait takes no core. One line for each; ends with exit status 1 on a
// breach. The command line is the built one: npm run build.
import { existsSync } from "node:fs";
import { openDevice } from "../src/index.ts";
import { progress } from "../src/cli/progress.ts";
import { commandLine } from "./soak/commands.ts";
import { readOptions, usage, type Options } from "./soak/options.ts";
import {
  coldStarts,
  compileCycles,
  deviceCycles,
  faultyLives,
  measuredWaits,
  type OnStep,
  type Outcome,
} from "./soak/parts.ts";

const refuse = (sentence: string): never => {
  console.error(`soak: ${sentence}`);
  return process.exit(2);
};
const given = ((): Options | null => {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    return refuse((error as Error).message);
  }
})();
if (given === null) {
  console.log(usage());
  process.exit(0);
}
const { cycles, devices, starts, faults, waits, waitRows, seed, growth } = given;
if (starts > 0 && !existsSync(commandLine)) refuse("dist/ is missing; run npm run build first.");

const adapter = given.adapter ?? process.env["PREFC_ADAPTER"] ?? "auto";
const bar = progress(process.stderr);
let breaches = 0;

async function part(
  name: string,
  count: number,
  work: (onStep: OnStep) => Promise<Outcome>,
): Promise<void> {
  if (count === 0) return;
  const started = performance.now();
  let outcome: Outcome;
  try {
    outcome = await work((done) =>
      bar.at(done, `${name}, ${Math.round(done * count)} of ${count}`),
    );
  } catch (error) {
    outcome = { line: `${name}: ${(error as Error).message}`, breach: true };
  }
  if (outcome.breach) breaches++;
  bar.end();
  const seconds = ((performance.now() - started) / 1e3).toFixed(0);
  console.log(`${outcome.breach ? "BREACH" : "ok    "}  ${outcome.line}  [${seconds} s]`);
}

try {
  const device = await openDevice({ adapter });
  console.log(`adapter ${device.line}`);
  await part("compile, run, dispose", cycles, (onStep) =>
    compileCycles(device, cycles, growth, onStep),
  );
  await part("waits", waits, () => measuredWaits(device, waitRows, waits));
  device.dispose();
  await part("devices", devices, (onStep) => deviceCycles(adapter, devices, growth, onStep));
  await part("faults", faults, (onStep) => faultyLives(adapter, faults, seed, onStep));
  await part("cold starts", starts, (onStep) => coldStarts(adapter, starts, onStep));
} catch (error) {
  bar.end();
  refuse((error as Error).message);
}
console.log(breaches === 0 ? "no breach" : `${breaches} ${breaches === 1 ? "breach" : "breaches"}`);
process.exit(breaches === 0 ? 0 : 1);
