// What the specs of emitted files share: a process of Python, which they do without where there is none, and a line that says so.
import { afterAll, beforeAll, describe } from "vitest";
import { hasTorch, interpreter, openPython, type Python } from "../../src/python/worker.ts";

const asked = process.env["PREFC_PYTHON"] !== undefined;
const isMissing = !asked && !hasTorch();
const how = `as ${interpreter()} has no torch; set PREFC_PYTHON to one that has`;

/** A suite that runs in PyTorch. Where PREFC_PYTHON asks for an interpreter, one without torch is an error. */
export function describeTorch(name: string, suite: (python: () => Python) => void): void {
  describe.skipIf(isMissing)(isMissing ? `${name} (skipped, ${how})` : name, () => {
    let own: Python | undefined;
    beforeAll(async () => {
      own = await openPython();
    });
    afterAll(() => own?.close());
    suite(() => own!);
  });
}
if (isMissing) console.info(`specs in PyTorch are skipped, ${how}`);
