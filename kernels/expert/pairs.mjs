// DPO and WPO written by hand, as the benchmark takes anyone's kernels (docs/benchmarks.md): the bar for compiled kernels. They
// take completions of one length, rows that are all tokens, and rows made of whole vectors of 16 bytes, in f32 or bf16. Short rows
// in f32 are tried with a lane each as well.

import { readFileSync } from "node:fs";

const text = (file, constants) =>
  Object.entries(constants).reduce(
    (replaced, [name, value]) => replaced.replaceAll(name, `${value}u`),
    readFileSync(new URL(`${file}.wgsl`, import.meta.url), "utf8"),
  );

/** Entries up to which a lane with a row of its own is worth a try. */
const longestShort = 2048;

const plansOf =
  (objective, weighted) =>
  ({ vocab, dtype, examples, responses, tokens, lanes, cachedReference }) => {
    if (responses.join() !== "w,l")
      return `they compute ${objective} of a chosen and a rejected response`;
    if (dtype === "f16") return "they read logits stored as f32 or bf16";
    if (vocab % (dtype === "bf16" ? 8 : 4) !== 0)
      return "they read rows of whole vectors of 16 bytes";
    if (tokens === null) return "they take completions of one length and rows that are all tokens";
    const suffix = dtype === "bf16" ? "_bf16" : "";
    const planOf = (count, isShort) => {
      const kind = isShort ? "_short" : suffix;
      const rows = isShort ? { groups: "rows", rowsPerGroup: count } : { groups: "rows" };
      const constants = { LANES: count, WEIGHTED: weighted, TOKENS: tokens };
      const forward = (model, flag, direction) => ({
        wgsl: text(`forward${kind}`, { ...constants, WEIGHTED: flag }),
        direction,
        bindings: ["shape", `${model}_logits`, "labels", `${model}_stats`],
        ...rows,
      });
      return {
        buffers: {
          policy_stats: { bytesPerRow: 16 },
          ref_stats: { bytesPerRow: 16 },
          coefficients: { bytesPerRow: 4 },
          losses: { bytes: 4 * examples },
        },
        dispatches: [
          forward("ref", 0, cachedReference ? "setup" : "forward"),
          forward("policy", weighted, "forward"),
          {
            wgsl: text("loss", constants),
            direction: "forward",
            bindings: ["shape", "policy_stats", "ref_stats", "coefficients", "losses"],
            groups: Math.ceil(examples / 64),
          },
          {
            wgsl: text(`backward${kind}`, constants),
            direction: "backward",
            bindings: [
              "shape",
              "policy_logits",
              "labels",
              "policy_stats",
              "coefficients",
              "policy_gradient",
            ],
            ...rows,
          },
        ],
        loss: { buffer: "losses", combine: "sum" },
      };
    };
    const isShort = vocab <= longestShort && dtype === "f32";
    return [false, ...(isShort ? [true] : [])].flatMap((short) =>
      lanes.map((count) => planOf(count, short)),
    );
  };

export const dpo = { objective: "dpo", plans: plansOf("DPO", 0) };
export const wpo = { objective: "wpo", plans: plansOf("WPO", 1) };
