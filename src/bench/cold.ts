// Where the time to the first gradient goes: a process of its own is started with the driver's caches off and tells when it reached
// each step, so that nothing of this process is warm for it.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PrefcError } from "../core/error.ts";
import { mention } from "../core/quote.ts";
import type { Options } from "./options.ts";

/** Milliseconds of each step of a first gradient, in order. */
export interface Cold {
  readonly objective: string;
  readonly device: string;
  readonly rows: number;
  readonly vocab: number;
  readonly steps: readonly { readonly step: string; readonly ms: number }[];
}

/** Runs a first gradient in a new process. @throws PrefcError cold-failed with what the process said */
export async function cold(objective: string, options: Options): Promise<Cold> {
  const cache = mkdtempSync(join(tmpdir(), "prefc-cold-"));
  const ending = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const program = fileURLToPath(new URL(`coldstart.${ending}`, import.meta.url));
  const loader = ending === "ts" ? ["--import", import.meta.resolve("tsx")] : [];
  const [rows, vocab] = [options.rows[0]!, options.vocab[0]!];
  const asked = { objective, rows, vocab, adapter: options.adapter, timeoutMs: options.timeoutMs };
  try {
    const started = Date.now();
    const text = await new Promise<string>((resolve, reject) => {
      const child = spawn(process.execPath, [...loader, program, JSON.stringify(asked)], {
        stdio: ["ignore", "pipe", "pipe"],
        env: {
          ...process.env,
          MESA_SHADER_CACHE_DISABLE: "true",
          MESA_SHADER_CACHE_DIR: cache,
          PREFC_TUNING: "off",
        },
      });
      let [out, said] = ["", ""];
      child.stdout.setEncoding("utf8").on("data", (part: string) => (out += part));
      child.stderr.setEncoding("utf8").on("data", (part: string) => (said += part));
      child.on("error", reject);
      child.on("close", (code) => {
        if (code === 0) return resolve(out);
        const why = said.trim().split("\n").at(-1) ?? `code ${code}`;
        reject(
          new PrefcError(
            "cold-failed",
            `--cold: the process for ${mention(objective)} ended early: ${why.replace(/\.$/, "")}.`,
          ),
        );
      });
    });
    const { device, marks } = JSON.parse(text.trim().split("\n").at(-1)!) as {
      readonly device: string;
      readonly marks: readonly (readonly [step: string, at: number])[];
    };
    let before = started;
    const steps = marks.map(([step, at]) => {
      const ms = at - before;
      before = at;
      return { step, ms };
    });
    return { objective, device, rows, vocab, steps };
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}

/** The split as a table. */
export function coldText({ objective, device, rows, vocab, steps }: Cold): string {
  const total = steps.reduce((sum, { ms }) => sum + ms, 0);
  const line = (step: string, ms: number): string =>
    `  ${step.padEnd(34)} ${ms.toFixed(0).padStart(7)} ms  ${((100 * ms) / total).toFixed(0).padStart(3)} %`;
  return [
    `${objective}, first gradient of ${rows} × ${vocab}, driver caches off, ${device}`,
    ...steps.map(({ step, ms }) => line(step, ms)),
    line("all", total),
  ].join("\n");
}
