// npm run bench -- --peers: other libraries on the same inputs in the same run, each in a process of its own. A step of prefc
// is timed before or after every step of a peer, so that their ratio holds on a machine whose speed drifts. What a peer
// computes is compared with what prefc computed, and a peer that is wrong, crashes or is not there becomes a line that
// says so.

import { join } from "node:path";
import { installPackages, peersFolder, writeBatch } from "./peerinputs.ts";
import { ownLine, peerLinesOf, type PeerLine } from "./peerlines.ts";
import { visit, type Cost, type Peer, type PeerContext } from "./peerrounds.ts";

/** The objectives that every peer has. */
export const peerObjectives: readonly string[] = ["dpo", "wpo"];

/** Every peer, in the order in which they run. Installs what they need from npm where that is missing. */
export function standardPeers(): readonly Peer[] {
  const missing = installPackages();
  const node = (name: string, file: string): Peer => ({
    name,
    program: [process.execPath, "--import", import.meta.resolve("tsx"), join(peersFolder, file)],
    dtypes: ["f32"],
    missing,
  });
  const torch = (name: string): Peer => ({
    name,
    program: [process.env["PREFC_PYTHON"] ?? "python3", join(peersFolder, "pytorch.py")],
    dtypes: ["f32", "f16", "bf16"],
  });
  return [
    node("jax-js-webgpu", "jax.mjs"),
    node("jax-js-wasm", "jax.mjs"),
    node("tfjs-webgpu-gather", "tfjs.mjs"),
    node("tfjs-webgpu-onehot", "tfjs.mjs"),
    torch("torch-cpu"),
    torch("torch-cuda"),
    torch("torch-cuda-compile"),
  ];
}

/** Every line of every peer, objective by objective, and a line of prefc's own steps for each objective. */
export async function* peerLines(context: PeerContext): AsyncGenerator<PeerLine> {
  const { folder, remove } = writeBatch(context.batch);
  // A peer that is not there is not there for the next objective either.
  const absent = new Set<string>();
  try {
    const measured = context.own.filter(({ objective }) => peerObjectives.includes(objective));
    for (const [position, own] of measured.entries()) {
      const between: Cost[] = [];
      let loss = Number.NaN;
      for (const [turn, peer] of context.peers.entries()) {
        if (absent.has(peer.name)) continue;
        const share = (position + turn / context.peers.length) / measured.length;
        context.onStep?.(share, `${own.objective} beside ${peer.name}`);
        const done = await visit(peer, own, context, folder);
        if ("outcome" in done) {
          if (done.outcome === "skipped") absent.add(peer.name);
        } else {
          between.push(...done.own);
          ({ loss } = done);
        }
        yield* await peerLinesOf(peer.name, done, own, context);
      }
      if (between.length > 0) yield ownLine(own.objective, between, loss, context);
    }
  } finally {
    remove();
  }
}
