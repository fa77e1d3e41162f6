// How the tests run: in three lanes (spec/lanes.ts), which vitest calls projects. Each file gets its own process: a GPU
// adapter is found through environment variables, and worker threads see only a copy of the environment, so a pool of
// threads would never find the bundled adapter.
import { availableParallelism } from "node:os";
import { defineConfig, type ViteUserConfig } from "vitest/config";
import { lanes } from "./spec/lanes.ts";
import { Told } from "./spec/told.ts";

const config: ViteUserConfig = defineConfig({
  test: {
    pool: "forks",
    // vitest leaves one core idle, which is half of a machine that has two
    maxWorkers: Math.max(2, availableParallelism() - 1),
    globalSetup: ["spec/generated.ts"],
    setupFiles: ["spec/setup.ts"],
    reporters: ["default", new Told()],
    projects: lanes.map(({ name, include, exclude }) => ({
      extends: true,
      test: { name, include: [...include], exclude: [...exclude] },
    })),
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
