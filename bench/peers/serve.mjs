// What every JavaScript peer shares: the request that the harness gives, the batch from its files, and the answers, one
// JSON line each. The peer makes one step a sample, when it is told to, so that the harness can put steps of prefc
// between; what each step cost is measured here, in the peer's own process, from the call until its result is there.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** {provider, objective, rows, vocab, tokens, beta, folder, adapter} */
export const request = JSON.parse(process.argv[2] ?? "{}");

/** Milliseconds that the last steps took: what to sleep through before waiting for the next one. */
export const pace = { expected: 0, started: 0 };

// WebGPU in Node polls while a promise is pending and takes a core from a software adapter. So the first wait of a step
// sleeps through nine tenths of what the faster of the last two steps took, as prefc itself does.
export async function sleepFirst() {
  const rest = pace.started + pace.expected - performance.now();
  pace.expected = 0;
  if (rest >= 2) {
    await new Promise((resolve) => {
      setTimeout(resolve, rest);
    });
  }
}

export function batch() {
  const read = (name, Type) => {
    const bytes = readFileSync(join(request.folder, name));
    return new Type(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  };
  return {
    policy: read("policy.f32", Float32Array),
    reference: read("reference.f32", Float32Array),
    labels: read("labels.u32", Int32Array),
  };
}

const answer = (line) => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

/** √Σ g², in float64. */
const norm = (values) => {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
};

// Larger than the caches of common processors; written between steps, so that no step finds its logits in a cache.
const scratch = new Float32Array(2 ** 24);

/**
 * Answers the harness until it closes the conversation. `step` computes loss and gradient and settles when both are
 * complete; `read(result)` gives the loss as a number and, when `whole`, the gradient as values; and frees the result.
 */
export async function serve({ versions, step, read }) {
  answer({ ready: versions });
  const last = [];
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === "end") break;
    scratch.fill(last.length);
    pace.expected = last.length < 2 ? 0 : 0.9 * Math.min(...last);
    const before = process.cpuUsage();
    pace.started = performance.now();
    const result = await step();
    const milliseconds = performance.now() - pace.started;
    const { user, system } = process.cpuUsage(before);
    pace.expected = 0;
    last.unshift(milliseconds);
    last.length = Math.min(last.length, 2);
    const { loss, gradient } = await read(result, line === "check");
    answer({
      milliseconds,
      processor_milliseconds: (user + system) / 1000,
      loss,
      ...(gradient === undefined ? {} : { gradient_norm: norm(gradient) }),
    });
  }
}

/** Runs a peer and ends the process: Dawn keeps it alive otherwise, and may crash it on the way out. */
export function run(main) {
  main().then(
    () => process.exit(0),
    (error) => {
      answer({ error: error instanceof Error ? error.message : String(error) });
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
      process.exit(1);
    },
  );
}
