// npm run bench: `prefc bench` in a checkout, where other frameworks can run beside it on the same inputs.
// docs/benchmarks.md says what each figure means.

import { benchmark } from "../src/cli/benchmark.ts";
import { leave, printError, tolerateClosedPipes } from "../src/cli/output.ts";
import { builtIn } from "../src/index.ts";
import { peersBeside } from "./beside.ts";
import { readCheckoutOptions, usage } from "./options.ts";
import type { PeerLine } from "./peerlines.ts";
import { peerReport } from "./peerreport.ts";
import { standardPeers } from "./peers.ts";

async function main(): Promise<void> {
  const options = readCheckoutOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(usage());
    return;
  }
  const peers = standardPeers(options.peers);
  const beside: PeerLine[] = [];
  const subjects = options.objectives.map((name) => ({
    name,
    objective: builtIn(name),
    heights: {},
    params: {},
  }));
  await benchmark({
    subjects,
    kernels: [],
    options,
    isSilent: options.onlyPeers,
    more: () => peerReport(beside),
    beside: async ({ setting, clocked, held, shape, flush, onStep, write }) => {
      const keep = (line: PeerLine): void => {
        beside.push(line);
        write(line);
      };
      await peersBeside(setting, held, shape, peers, { ...options, ...clocked }, subjects, {
        flush: () => flush("wall"),
        onStep,
        keep,
      });
    },
  });
}

tolerateClosedPipes();
await main().then(
  () => leave(0),
  (error: unknown) => {
    printError(`bench: ${error instanceof Error ? error.message : String(error)}`);
    return leave(1);
  },
);
