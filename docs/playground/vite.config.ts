// Builds the playground into a static folder that any host can serve, and serves that on this machine alone. Nothing that only
// Node has is taken along: spec/architecture says what may import it.

import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin, type UserConfig } from "vite";
import { size } from "./size.ts";

/** Where a module would reach Node's part of the runtime, a browser has none. */
const withoutNode = (): Plugin => ({
  name: "without-node",
  enforce: "pre",
  resolveId: (id) => (id === "../node/host.ts" ? "\0without-node" : null),
  load: (id) => (id === "\0without-node" ? "export {};" : null),
});

const config: UserConfig = defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  publicDir: "public",
  build: { outDir: "dist", emptyOutDir: true, target: "es2023", chunkSizeWarningLimit: 5000 },
  worker: { format: "iife", plugins: () => [withoutNode()] },
  plugins: [size()],
  preview: { host: "127.0.0.1", port: 4173 },
});

export default config;
