// What a run of the tests says of itself: first the seed that a failure is replayed with, last which specs it left out.
import { readdirSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Reporter, TestModule } from "vitest/node";
import { long } from "./lanes.ts";
import { runs, seed } from "./seed.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

/** Every spec of this checkout, as a path from its root. */
export const specs = (): readonly string[] =>
  readdirSync(`${root}spec`, { recursive: true, encoding: "utf8" })
    .map((path) => `spec/${path.replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(".spec.ts"))
    .toSorted();

/** The last line of a run: nothing where somebody chose the specs, else whether these were all. */
export function lastLine(
  ran: readonly string[],
  all: readonly string[],
  late: readonly string[] = Object.keys(long),
): string | undefined {
  const left = all.filter((file) => !ran.includes(file));
  if (left.some((file) => !late.includes(file))) return undefined;
  return left.length === 0
    ? `All ${all.length} spec files ran.`
    : `${ran.length} of ${all.length} spec files ran. "npm run test:all" runs the ${left.length} long ones as well.`;
}

/** Prints both beside what the reporters of vitest print. */
export class Told implements Reporter {
  onInit(): void {
    const cases = runs === undefined ? "" : ` PREFC_RUNS=${runs}`;
    console.log(`property tests: PREFC_SEED=${seed}${cases}`);
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const ran = modules.map(({ moduleId }) => relative(root, moduleId).replaceAll("\\", "/"));
    const line = lastLine(ran, specs());
    if (line !== undefined) console.log(line);
  }
}
