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

type JavaScriptName = "jax-js-webgpu" | "jax-js-wasm" | "tfjs-webgpu-gather" | "tfjs-webgpu-onehot";
type PythonName = "torch-cpu" | "torch-cpu-compile" | "torch-cuda" | "torch-cuda-compile";
export type PeerName = JavaScriptName | PythonName;

/** Every peer, and what it is. */
export const peerTexts: Readonly<Record<PeerName, string>> = {
  "jax-js-webgpu": "jax-js, value and gradient under one jit, on the same Dawn",
  "jax-js-wasm": "the same on WebAssembly, with a thread for every core",
  "tfjs-webgpu-gather": "TensorFlow.js on the same Dawn; the label's log-probability by a gather",
  "tfjs-webgpu-onehot": "the same; the label's log-probability by one-hot rows",
  "torch-cpu": "PyTorch, eager",
  "torch-cpu-compile": "PyTorch under torch.compile",
  "torch-cuda": "PyTorch on a CUDA device, eager",
  "torch-cuda-compile": "PyTorch on a CUDA device under torch.compile",
};
/** In the order in which they run. */
export const peerNames = Object.keys(peerTexts) as readonly PeerName[];

const files: Readonly<Record<JavaScriptName, string>> = {
  "jax-js-webgpu": "jax.mjs",
  "jax-js-wasm": "jax.mjs",
  "tfjs-webgpu-gather": "tfjs.mjs",
  "tfjs-webgpu-onehot": "tfjs.mjs",
};
const isJavaScript = (name: PeerName): name is JavaScriptName => Object.hasOwn(files, name);

/** The peers of these names. Installs what they need from npm where that is missing. */
export function standardPeers(names: readonly PeerName[]): readonly Peer[] {
  const missing = names.some(isJavaScript) ? installPackages() : null;
  return names.map((name) =>
    isJavaScript(name)
      ? {
          name,
          program: [
            process.execPath,
            "--import",
            import.meta.resolve("tsx"),
            join(peersFolder, files[name]),
          ],
          dtypes: ["f32"],
          missing,
        }
      : {
          name,
          program: [process.env["PREFC_PYTHON"] ?? "python3", join(peersFolder, "pytorch.py")],
          dtypes: ["f32", "f16", "bf16"],
        },
  );
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
