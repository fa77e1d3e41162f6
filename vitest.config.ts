// How the tests run. Each file gets its own process: a GPU adapter is found through environment variables, and worker
// threads see only a copy of the environment, so a pool of threads would never find the bundled adapter.
import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: {
    pool: "forks",
    include: ["spec/**/*.spec.ts"],
    globalSetup: ["spec/seed.ts"],
    setupFiles: ["spec/setup.ts"],
    // a guard against hanging, not a measure: a software driver may take minutes to compile what it has never seen
    testTimeout: 240_000,
    hookTimeout: 240_000,
    // npm run coverage: the layers that decide what a program means, under the specs that need no adapter
    coverage: {
      provider: "v8",
      include: ["src/{core,ad,rewrite,stream}/**"],
      reporter: ["text", "html"],
      thresholds: Object.fromEntries(
        ["core", "ad", "rewrite", "stream"].map((folder) => [`src/${folder}/**`, { branches: 95 }]),
      ),
    },
  },
});

export default config;
