// Loads a user's module, TypeScript or JavaScript, wherever it lies. Its `import … from "prefc"` must reach this
// very copy of the package, since expressions are shared by identity: a resolve hook sees to it, whether the
// module lies beside an installed package, in a checkout, or in a folder that knows neither. Files without a
// package.json count as ES modules here, because nothing else can import the package.

import * as nodeModule from "node:module";
import { pathToFileURL } from "node:url";

/** This package's public interface: src/index.ts in a checkout, dist/index.js when built. */
const packageUrl = new URL(
  `../index.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`,
  import.meta.url,
).href;

/** Runs in Node's loader thread, or, on newer versions, synchronously in this one; so it handles both. */
const hook = `
let packageUrl;
export const initialize = (url) => { packageUrl = url; };
const own = (found) =>
  /^file:.*\\.[jt]sx?(?:[?#]|$)/.test(found.url) && !found.url.includes("/node_modules/")
    ? { ...found, format: "module" }
    : found;
export const resolve = (specifier, context, next) => {
  if (specifier === "prefc") return { url: packageUrl, format: "module", shortCircuit: true };
  const found = next(specifier, context);
  return typeof found.then === "function" ? found.then(own) : own(found);
};
`;
const hookUrl = `data:text/javascript,${encodeURIComponent(hook)}`;

/** Node 22.15 and later; its types are newer than those of the oldest version supported. */
type RegisterHooks = (hooks: { readonly resolve: unknown }) => void;
interface Hook {
  readonly initialize: (url: string) => void;
  readonly resolve: unknown;
}

let installed: Promise<void> | undefined;

async function install(): Promise<void> {
  const { register } = await import("tsx/esm/api");
  register();
  // registered last, so asked first
  const { registerHooks } = nodeModule as { readonly registerHooks?: RegisterHooks };
  if (registerHooks === undefined) {
    nodeModule.register(hookUrl, { data: packageUrl });
    return;
  }
  const { initialize, resolve } = (await import(hookUrl)) as Hook;
  initialize(packageUrl);
  registerHooks({ resolve });
}

/** Makes ready for loading modules, which takes a while on a busy machine and is no fault of theirs. */
export async function prepareLoading(): Promise<void> {
  installed ??= install();
  await installed;
}

/** What the module at a path exports. Throws whatever the module throws, or the error of its syntax. */
export async function loadModule(path: string): Promise<Readonly<Record<string, unknown>>> {
  await prepareLoading();
  return (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
}
