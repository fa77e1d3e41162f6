// The playground, as it is built, in a Chromium: what is typed changes what is drawn, mistakes are one sentence each, code of a link
// waits until the visitor agrees, and code that does not end is stopped. The screenshots of the documentation are made here.

import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { chromium, type Browser, type Page } from "playwright-core";
import { build, preview, type PreviewServer } from "vite";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { chromiumPath } from "./chromium.ts";

const configFile = fileURLToPath(new URL("../../docs/playground/vite.config.ts", import.meta.url));
const axe = fileURLToPath(import.meta.resolve("axe-core"));
const pictures = fileURLToPath(new URL("../../docs/pictures/", import.meta.url));
const patience = 60_000;

const module = (body: string): string =>
  `import { constant, logSigmoid, neg, objective } from "prefc";
export default objective("typed", ["w", "l"], ({ policy, y }) => {
  ${body}
}, { source: "typed by hand" });
`;
const hinge = module(
  "return constant(1).minus(policy.logps(y.w)).plus(policy.logps(y.l)).times(2);",
);

describe.skipIf(chromiumPath === null)("playground", () => {
  let server: PreviewServer;
  let browser: Browser;
  let page: Page;
  let address = "";
  const complaints: string[] = [];

  const opened = async (options: Parameters<Browser["newPage"]>[0] = {}): Promise<Page> => {
    const made = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
    made.setDefaultTimeout(patience);
    made.on("pageerror", ({ message }) => complaints.push(message));
    return made;
  };
  const status = async (pattern: RegExp): Promise<string> => {
    await page.waitForFunction(
      ([source, flags]) =>
        new RegExp(source, flags).test(document.querySelector("#status")?.textContent ?? ""),
      [pattern.source, pattern.flags] as const,
    );
    return (await page.textContent("#status")) ?? "";
  };
  const ready = /^[\w-]+: \d+ dispatches\.$/;
  const type = async (code: string): Promise<void> => {
    await page.click(".cm-content");
    await page.keyboard.press("Control+a");
    await page.keyboard.insertText(code);
  };
  const picture = async (): Promise<string> =>
    (await page.getAttribute("#results img", "src")) ?? "";

  beforeAll(async () => {
    await build({ configFile, logLevel: "warn" });
    server = await preview({ configFile, logLevel: "warn", preview: { port: 0, open: false } });
    address = `http://127.0.0.1:${(server.httpServer.address() as AddressInfo).port}/`;
    // the browser brings an adapter of its own, which it does not find where other drivers are named
    const env = Object.fromEntries(
      Object.entries(process.env).filter(
        ([name]) => !/^VK_(DRIVER_FILES|ICD_FILENAMES)$/.test(name),
      ),
    );
    browser = await chromium.launch({
      executablePath: chromiumPath!,
      env,
      // the code in this spec is our own, and a container's root has no sandbox
      chromiumSandbox: false,
      args: ["--enable-unsafe-webgpu"],
    });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });
  beforeEach(async () => {
    page = await opened();
    await page.goto(address);
    await status(ready);
  });
  afterEach(async () => {
    await page.close();
    expect(complaints.splice(0)).toEqual([]);
  });

  it("draws another curve when the formula changes", async () => {
    const before = await picture();
    expect(before).toContain("data:image/svg+xml");
    await type(hinge);
    await status(/^typed: /);
    const after = await picture();
    expect(after).not.toBe(before);
    expect(decodeURIComponent(after)).toContain("<title>typed</title>");
    for (const heading of [
      "Formula",
      "Plan, statistics and kinks",
      "Gradient",
      "PyTorch",
      "Triton",
    ])
      expect(await page.locator("summary h2").allTextContents()).toContain(heading);
    expect(await page.locator("summary h2", { hasText: "Kernel: " }).count()).toBeGreaterThan(2);
  });

  it("runs every module to begin with that is written out", async () => {
    const names = await page.locator("#start optgroup:first-child option").allTextContents();
    expect(names.length).toBeGreaterThan(3);
    for (const name of names) {
      await page.selectOption("#start", name);
      await status(/^Compiling\.$/);
      expect(await status(/dispatches\.$|[a-z]\.$/)).not.toBe("");
      await status(ready);
    }
  });

  it("tells where the language refuses a formula, and goes on", async () => {
    const line = "return neg(policy.logp(y.w).plus(policy.logp(y.l)));";
    await type(module(line));
    const sentence = await status(/token/);
    expect(await page.locator("#status.wrong").count()).toBe(1);
    expect(sentence).toMatch(/token.*w.*token.*l|token.*l.*token.*w/);
    const marked = page.locator(".cm-lintRange-error");
    expect((await marked.allTextContents()).join("")).toBe(line);
    await type(hinge);
    await status(/^typed: /);
    expect(await marked.count()).toBe(0);
  });

  it.each([
    ["const x: = 3;", /does not parse at line 1, column 10/],
    ["throw 3;", /threw 3, which is no error/],
    ["throw { toString() { throw 1; } };", /threw an object, which is no error/],
    ["null.x;", /failed at line 1: Cannot read properties of null/],
    ["export default 3;", /exports no objective/],
    ['import { x } from "y"; x();', /only "prefc" can be imported/],
  ])("says in one sentence what is wrong with %s", async (code, sentence) => {
    await type(code);
    await status(sentence);
  });

  it("stops a loop that does not end, when asked and by itself", async () => {
    await type("for (;;);");
    await status(/^Compiling\.$/);
    await page.waitForTimeout(500);
    await page.click("#stop");
    await status(/^Stopped\.$/);
    await page.click("#run");
    await status(/^The module was stopped after 10 seconds; look for a loop that does not end or /);
    await type(hinge);
    await status(/^typed: /);
  });

  it("ends a formula of a million nodes in a sentence", async () => {
    await type(
      module(
        "let sum = policy.logps(y.w);\n  for (let i = 0; i < 1e6; i++) sum = sum.plus(policy.logps(y.l).times(i));\n  return sum;",
      ),
    );
    await status(/^Compiling\.$/);
    await status(/\w{3,}\.$/);
    await page.waitForFunction(() => document.querySelector<HTMLButtonElement>("#stop")!.disabled);
    expect(await page.locator("#status.wrong").count()).toBe(1);
    await type(hinge);
    await status(/^typed: /);
  });

  it("gives what it runs no network and no page", async () => {
    const asked: string[] = [];
    const outside: Server = createServer((request, response) => {
      asked.push(request.url ?? "");
      response.setHeader("access-control-allow-origin", "*");
      response.end("export {};");
    });
    await new Promise<void>((resolve) => outside.listen(0, "127.0.0.1", resolve));
    const there = `http://127.0.0.1:${(outside.address() as AddressInfo).port}/`;
    try {
      expect(await (await fetch(`${there}open`)).text()).toBe("export {};");
      await type(
        `globalThis.out = [];
for (const act of [
  () => fetch("${there}fetch"),
  () => import("${there}import"),
  () => importScripts("${there}scripts"),
  () => new WebSocket("${there.replace("http", "ws")}socket"),
  () => new EventSource("${there}events"),
  () => new Worker("${there}worker"),
]) { try { void act()?.catch?.(() => {}); } catch {} }
const end = Date.now() + 1500; while (Date.now() < end);
throw new Error("origin " + self.origin + ", document " + typeof document);`,
      );
      await status(/origin null, document undefined/);
      await page.waitForTimeout(500);
      expect(asked).toEqual(["/open"]);
    } finally {
      outside.close();
    }
  });

  it("runs nothing of a shared link before the visitor agrees", async () => {
    const code = `${hinge}throw new Error("it ran");`;
    await type(code);
    await status(/it ran/);
    await page.click("#share");
    await page.waitForFunction(() => location.hash.startsWith("#code="));
    const link = page.url();
    await page.close();
    page = await opened();
    await page.goto(link);
    await status(/^Nothing has run yet\.$/);
    expect(await page.textContent(".cm-content")).toContain("it ran");
    await page.click("#run");
    await page.click("#check");
    await type(code);
    await page.waitForTimeout(1500);
    expect(await page.textContent("#status")).toBe("Nothing has run yet.");
    await page.click("#agreed");
    await status(/it ran/);
  });

  it("says that a link is broken", async () => {
    await page.close();
    page = await opened();
    await page.goto(`${address}#code=AAAA`);
    await status(/no module that can be read/);
  });

  it("checks in float64, and on the GPU where there is one", async () => {
    await page.click("#check");
    await status(/^Check: all 6 batches passed\.$/);
    expect(await page.textContent("#checked")).toMatch(/batch 1: .* differences .*: ok/);
    await page.click("#check-gpu");
    await status(/^Check: all 6 batches passed\.$/);
    expect(await page.textContent("#checked")).toMatch(/^GPU .*\n(.*GPU gradient.*: ok\n)+/);
  });

  it("compares with a built-in", async () => {
    await page.selectOption("#beside", "wpo");
    await page.locator("summary h2", { hasText: "What differs" }).waitFor();
    await status(ready);
    expect(decodeURIComponent(await picture())).toContain("<title>my-dpo, wpo</title>");
    expect(await page.locator("details", { hasText: "What differs" }).textContent()).toContain(
      "log_sum_sq_probs",
    );
  });

  it.each([
    ["light", 1280],
    ["dark", 1280],
    ["light", 390],
    ["dark", 390],
  ] as const)("is usable in the %s at %i pixels", async (colorScheme, width) => {
    await page.close();
    page = await opened({ colorScheme, viewport: { width, height: 900 } });
    await page.goto(address);
    await status(ready);
    await page.evaluate(readFileSync(axe, "utf8"));
    const found = await page.evaluate(async () => {
      const { axe } = globalThis as unknown as {
        axe: {
          run: () => Promise<{
            violations: readonly {
              id: string;
              impact: string;
              nodes: readonly { html: string }[];
            }[];
          }>;
        };
      };
      const { violations } = await axe.run();
      return violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" ")}`);
    });
    expect(found).toEqual([]);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(wide).toBeLessThanOrEqual(width);
    const names: Readonly<Record<string, string>> = { "light 1280": "wide", "dark 390": "phone" };
    const name = names[`${colorScheme} ${width}`];
    if (process.env["PREFC_SCREENSHOTS"] !== undefined && name !== undefined)
      await page.screenshot({ path: `${pictures}playground-${name}.png` });
  });
});
