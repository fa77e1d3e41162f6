// What the figures of a run are held against, as one sentence for each: the share of the copy ceiling, the kernels written by
// hand, 16-bit storage, memory, and other libraries. Goals for peers hold where they were set, on lavapipe with 256
// rows in f32; elsewhere their figures are stated without one.

import type { Line } from "../src/bench/line.ts";
import type { PeerLine } from "./peerlines.ts";

export interface Verdict {
  /** What was measured and how much of it, as a clause. */
  readonly text: string;
  readonly goal: string | null;
  readonly outcome: "reached" | "missed" | "stated";
}

/** "dpo, f32: 92 % of copying (goal: at least 85 %): reached" */
export const sentenceOf = ({ text, goal, outcome }: Verdict): string =>
  goal === null ? text : `${text} (goal: ${goal}): ${outcome}`;

function held(text: string, goal: string, isReached: boolean): Verdict {
  return { text, goal, outcome: isReached ? "reached" : "missed" };
}

const least = { ofCopy: 85, ofExpert: 0.95, ofSingle: 1.3 } as const;
const most = { ofDpo: 1.1, memoryPercent: 1 } as const;

/** Verdicts on compiled objectives; only value and gradient together, except for memory. */
export function verdicts(lines: readonly Line[]): readonly Verdict[] {
  return lines.flatMap((line) => {
    if (line.direction !== "full" || line.provider !== "compiled") return [];
    const title = `${line.objective}, ${line.section}`;
    if (line.in_place) return memoryVerdicts(line, title);
    const { percent_of_copy: share, gb_s, speed_vs_expert, speed_vs_f32, ms_vs_first } = line;
    const found: Verdict[] = [];
    if (!line.ok) found.push(held(`${title}: WRONG`, "the right result", false));
    if (share !== null)
      found.push(
        held(
          `${title}: value and gradient at ${gb_s >= 100 ? gb_s.toFixed(0) : gb_s.toPrecision(2)} GB/s, ${share.toFixed(0)} % of copying`,
          `at least ${least.ofCopy} %`,
          share >= least.ofCopy,
        ),
      );
    if (speed_vs_expert !== null)
      found.push(
        held(
          `${title}: ${speed_vs_expert.toFixed(2)} × the speed of kernels written by hand`,
          `at least ${least.ofExpert}`,
          speed_vs_expert >= least.ofExpert,
        ),
      );
    if (speed_vs_f32 !== null)
      found.push(
        held(
          `${title}: ${speed_vs_f32.toFixed(2)} × the speed of f32`,
          `at least ${least.ofSingle}`,
          speed_vs_f32 >= least.ofSingle,
        ),
      );
    if (line.objective === "wpo" && ms_vs_first !== null)
      found.push(
        held(
          `${title}: ${ms_vs_first.toFixed(2)} × the time of DPO`,
          `at most ${most.ofDpo}`,
          ms_vs_first <= most.ofDpo,
        ),
      );
    return found;
  });
}

function memoryVerdicts(line: Line, title: string): readonly Verdict[] {
  const { memory_percent: share, new_buffers: created } = line;
  if (share === null || created === null) return [];
  return [
    held(
      `${title}, in place: ${share.toPrecision(2)} % of the logits in other buffers`,
      `at most ${most.memoryPercent} %`,
      share <= most.memoryPercent,
    ),
    held(`${title}, in place: ${created} buffers made in the second step`, "none", created === 0),
  ];
}

/** How many times a peer's time prefc is to be faster, by vocabulary. */
const faster: Readonly<Record<string, Readonly<Record<number, number>>>> = {
  "jax-js-webgpu": { 32_000: 15, 128_256: 40 },
  "jax-js-wasm": { 32_000: 10, 128_256: 10 },
  "tfjs-webgpu-gather": { 32_000: 15, 128_256: 15 },
  "tfjs-webgpu-onehot": { 32_000: 15, 128_256: 15 },
  "torch-cpu dpo": { 32_000: 1.5, 128_256: 3 },
  "torch-cpu wpo": { 32_000: 2, 128_256: 6 },
};

function goalOf({
  provider,
  objective,
  rows,
  vocab,
  dtype,
  device,
  clock,
}: PeerLine): number | null {
  const isWhereSet = rows === 256 && dtype === "f32" && /llvmpipe/.test(device);
  const byVocab = faster[provider] ?? faster[`${provider} ${objective}`];
  return isWhereSet && clock === "wall" ? (byVocab?.[vocab] ?? null) : null;
}

/** Verdicts on peers: the quotient of times in the same rounds, and by the GPU's clock where both were timed by it. */
export function peerVerdicts(
  peers: readonly PeerLine[],
  own: readonly Line[] = [],
): readonly Verdict[] {
  return peers.flatMap((line): readonly Verdict[] => {
    const { provider, objective, section, ms_median, outcome, note, clock } = line;
    const title = `${objective}, ${section}, ${provider}`;
    if (provider === "compiled") return [];
    if (ms_median === null)
      return [{ text: `${title}: ${outcome}: ${note}`, goal: null, outcome: "stated" }];
    if (clock === "gpu") {
      const ours = own.find(
        (one) =>
          one.provider === "compiled" &&
          one.direction === "full" &&
          one.clock === "gpu" &&
          one.objective === objective &&
          one.section === section,
      );
      if (ours === undefined) return [];
      const ratio = (ms_median / ours.ms_median).toFixed(2);
      const text = `${title}: ${ratio} × the time of prefc by the GPU's clock`;
      return [{ text, goal: null, outcome: "stated" }];
    }
    const ratio = line.ms_vs_compiled!;
    const wrong = outcome === "wrong" ? ", and WRONG" : "";
    const processor = line.processor_ms_vs_compiled;
    // on a GPU the processor's time says nothing of the work
    const beside =
      processor !== null && line.device.includes("software")
        ? `, ${processor.toFixed(1)} × its processor time`
        : "";
    const text = `${title}: ${ratio.toFixed(1)} × the time of prefc${beside}${wrong}`;
    const goal = outcome === "wrong" ? null : goalOf(line);
    return goal === null
      ? [{ text, goal, outcome: "stated" }]
      : [held(text, `at least ${goal}`, ratio >= goal)];
  });
}
