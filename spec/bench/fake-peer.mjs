// A peer for tests, which behaves as its name says: it answers what the test gives it, or breaks in one of the ways in which
// a program can break.
import { createInterface } from "node:readline";

const { provider, objective, folder } = JSON.parse(process.argv.at(-1));
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const losses = { dpo: 0.5, wpo: 0.25 };

if (provider === "absent") {
  say({ skip: "this machine has no such library" });
  process.exit(0);
}
if (provider === "crashes at once") {
  process.stderr.write("Segmentation fault in libfake\n");
  process.exit(11);
}
process.stdout.write("a library greets its user\n");
say({ ready: { fake: "1.0.0", folder } });
let steps = 0;
for await (const word of createInterface({ input: process.stdin })) {
  if (word === "end") process.exit(0);
  steps += 1;
  if (provider === "falls silent" && steps === 2) continue;
  if (provider === "crashes later" && steps === 2) {
    say({ error: "out of memory\n  at step" });
    process.exit(1);
  }
  if (provider === "is killed" && steps === 2) process.kill(process.pid, "SIGKILL");
  const wrong = { "wrong loss": 1.01, "wrong gradient": 1, "not a number": NaN }[provider] ?? 1;
  say({
    milliseconds: 30,
    processor_milliseconds: 12,
    ...(provider === "has a clock" ? { gpu_milliseconds: 20 } : {}),
    loss: losses[objective] * wrong,
    ...(word === "check" ? { gradient_norm: provider === "wrong gradient" ? 2.1 : 2 } : {}),
  });
}
