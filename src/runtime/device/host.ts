// Tells where this program runs, and reaches what only Node has. The same bundle runs in Node and in a browser, so every
// module that imports Node's own is loaded dynamically, from here, and only where Node is certain.
import type * as NodeHost from "../node/host.ts";

/** True in Node (and in runtimes that present themselves as Node), false in a browser. */
export const isNode: boolean = ((): boolean => {
  const host = globalThis as {
    readonly process?: { readonly versions?: { readonly node?: string } };
  };
  const { process: candidate } = host;
  return typeof candidate?.versions?.node === "string";
})();

/** True in Deno, which presents itself as Node and has WebGPU of its own. */
export const isDeno: boolean = "Deno" in globalThis;

/** What only Node can do for the runtime: find adapters outside a browser, measure memory, name versions. */
export const nodeHost = async (): Promise<typeof NodeHost> => await import("../node/host.ts");
