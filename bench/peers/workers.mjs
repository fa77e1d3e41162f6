// Web Workers on Node's own threads, as far as jax-js needs them, so that its WebAssembly backend computes on every core as
// it does in a browser: module workers from a blob, onmessage and postMessage.
import { resolveObjectURL } from "node:buffer";
import { Worker as Thread } from "node:worker_threads";

const preamble = `
const { parentPort } = require("node:worker_threads");
globalThis.self = globalThis;
globalThis.postMessage = (data) => parentPort.postMessage(data);
parentPort.on("message", (data) => globalThis.onmessage({ data }));
`;

class Worker {
  onmessage = null;
  onerror = null;
  #thread;

  constructor(url) {
    this.#thread = resolveObjectURL(String(url))
      .text()
      .then((source) => {
        const thread = new Thread(preamble + source, { eval: true });
        thread.unref();
        thread.on("message", (data) => this.onmessage?.({ data }));
        thread.on("error", (error) => this.onerror?.(error));
        return thread;
      });
  }

  postMessage(data) {
    void this.#thread.then((thread) => thread.postMessage(data, []));
  }
}

export function provideWorkers() {
  globalThis.Worker = Worker;
}
