// `prefc plot` and `prefc report`: files are whole or not there, stand alone, and are never written over what is read.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { prefc } from "./prefc.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "prefc-pictures-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("prefc plot", () => {
  it("prints a picture, and says on the error output what is fixed", async () => {
    const { code, out, error } = await prefc(["plot", "dpo", "--against", "logp"]);
    expect(code).toBe(0);
    expect(out).toMatch(/^<svg [^]*<\/svg>\n$/);
    expect(error).toContain("log π of the rejected response");
  });

  it("writes several objectives into one file, and nothing beside it", async () => {
    const path = join(folder, "all.svg");
    expect(await prefc(["plot", "dpo", "wpo", "ipo", "--out", path])).toMatchObject({
      code: 0,
      out: "",
    });
    expect(readFileSync(path, "utf8")).toContain(">wpo</text>");
    expect(readdirSync(folder)).toEqual(["all.svg"]);
  });

  it("refuses to write over its own module, and anything but SVG", async () => {
    const module = join(folder, "mine.ts");
    const text = 'import { dpo } from "prefc";\nexport default dpo();\n';
    writeFileSync(module, text);
    const over = await prefc(["plot", module, "--out", module]);
    expect(over.error).toContain("but pictures are SVG");
    const same = await prefc([
      "report",
      `${module}#default`,
      "--engine",
      "reference",
      "--out",
      module,
    ]);
    expect(same).toMatchObject({ code: 1 });
    expect(same.error).toContain("is what the command reads as");
    expect(readFileSync(module, "utf8")).toBe(text);
    rmSync(module);
  });
});

describe("prefc report", () => {
  it("is one page that needs nothing else", async () => {
    const path = join(folder, "wpo.html");
    const { code, error } = await prefc(["report", "wpo", "--batches", "2", "--out", path]);
    expect([code, error.includes("Warning: ") ? "" : error]).toEqual([0, ""]);
    const text = readFileSync(path, "utf8");
    for (const heading of [
      "Formula",
      "Plan",
      "Check",
      "Kernel: ",
      "Where it was made",
      "against the margin",
    ])
      expect(text).toContain(heading);
    expect(text).toContain("batches passed");
    expect(text.match(/<svg /g)).toHaveLength(2);
    // nothing is fetched, and nothing runs
    expect(text).not.toMatch(/<script|<link|<img|\ssrc=|url\(|@import/);
    expect(existsSync(`${path}.part`)).toBe(false);
  });

  it("says where an objective has no plot, and needs a file", async () => {
    const path = join(folder, "sft.html");
    expect(
      await prefc(["report", "sft", "--engine", "reference", "--batches", "1", "--out", path]),
    ).toMatchObject({ code: 0 });
    expect(readFileSync(path, "utf8")).toContain("is no loss of a chosen and a rejected response");
    expect((await prefc(["report", "dpo"])).error).toContain("--out is missing");
    const nowhere = await prefc([
      "report",
      "sft",
      "--engine",
      "reference",
      "--out",
      join(folder, "no", "x.html"),
    ]);
    expect(nowhere.error).toContain("there is no folder");
  });
});
