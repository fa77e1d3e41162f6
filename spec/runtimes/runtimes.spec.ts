// The built package in other runtimes than the one of these tests: Deno, which has WebGPU of its own (wgpu and naga), and Bun,
// which takes the package webgpu (Dawn), and later releases of Node. PREFC_DENO, PREFC_BUN, PREFC_NODE22 and PREFC_NODE24 name
// their programs; the specs of those that are not named are skipped.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const step = fileURLToPath(new URL("step.mjs", import.meta.url));

interface Said {
  readonly adapter?: string;
  readonly loss?: number;
  readonly gradient?: readonly number[];
  readonly code?: string | null;
  readonly message?: string;
}

const said = (
  program: string,
  options: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Said => {
  const text = execFileSync(program, [...options, step, `${root}dist/index.js`], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "ignore"],
  });
  return JSON.parse(text.trim().split("\n").at(-1)!) as Said;
};

interface Runtime {
  readonly program: string | undefined;
  readonly options: readonly string[];
}
const runtimes: Readonly<Record<string, Runtime>> = {
  Deno: {
    program: process.env["PREFC_DENO"],
    options: ["run", "--allow-all", "--node-modules-dir=manual"],
  },
  Bun: { program: process.env["PREFC_BUN"], options: ["run"] },
  "Node 22": { program: process.env["PREFC_NODE22"], options: [] },
  "Node 24": { program: process.env["PREFC_NODE24"], options: [] },
};
const missing = Object.entries(runtimes).flatMap(([name, { program }]) => (program ? [] : [name]));
if (missing.length > 0)
  console.info(
    `specs in ${missing.join(", ")} are skipped; set PREFC_DENO, PREFC_BUN, PREFC_NODE22, PREFC_NODE24`,
  );

/** The same step here. */
let here: Said;
beforeAll(() => {
  if (missing.length < Object.keys(runtimes).length) here = said(process.execPath, []);
});

describe.each(Object.entries(runtimes))("%s", (_name, { program, options }) => {
  it.skipIf(!program)("takes a step on an adapter that it finds", () => {
    const there = said(program!, options);
    expect(there.message).toBeUndefined();
    expect(Math.abs(there.loss! - here.loss!)).toBeLessThan(1e-6 * here.loss!);
    const largest = Math.max(...here.gradient!.map(Math.abs));
    expect(there.gradient!.length).toBe(here.gradient!.length);
    there.gradient!.forEach((g, i) =>
      expect(Math.abs(g - here.gradient![i]!)).toBeLessThan(1e-5 * largest),
    );
  });

  // no place to execute from is at fault, so none is asked for
  it.skipIf(!program)("is never told of a cache folder where there is no driver", () => {
    const none = { VK_DRIVER_FILES: "/none", VK_ICD_FILENAMES: "/none", PREFC_ADAPTER: "" };
    const { message = "", adapter } = said(program!, options, none);
    expect(message).not.toContain("XDG_CACHE_HOME");
    expect(adapter !== undefined || /VK_DRIVER_FILES=|Vulkan driver/.test(message)).toBe(true);
  });
});
