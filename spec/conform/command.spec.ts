// The command as users and scripts meet it: a process with an exit code, a last line to be read, and one line of error.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { defect, folder, sigmoid } from "./support.ts";

const program = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

const prefc = (
  ...args: readonly string[]
): { readonly code: number | null; readonly out: readonly string[]; readonly error: string } => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--import", "tsx", program, "conform", ...args],
    { encoding: "utf8" },
  );
  return { code: status, out: stdout.trimEnd().split("\n"), error: stderr.trimEnd() };
};

describe("prefc conform", () => {
  it("ends with 0 and a count when every file passes", () => {
    const { code, out } = prefc(folder, "--engine", "reference", "--only", "dpo/sigmoid");
    expect(out.at(-1)).toMatch(/^[1-9]\d* passed, 0 failed$/);
    expect(code).toBe(0);
  });

  it("ends with 1 when a file fails", () => {
    // a test is no golden file, but it is a file of JSON
    const { code, out } = prefc(
      fileURLToPath(new URL("../../package.json", import.meta.url)),
      "--engine",
      "reference",
    );
    expect(out).toEqual([
      "FAIL  package.json",
      "        package.json: params must be an object, but is nothing.",
      "0 passed, 1 failed",
    ]);
    expect(code).toBe(1);
  });

  it("ends with 1 when no file matches, and with 0 when only defects do", () => {
    const none = prefc(folder, "--engine", "reference", "--only", "nothing like it");
    expect(none).toMatchObject({ code: 1, out: ["no golden file matches", "0 passed, 0 failed"] });
    const defects = prefc(folder, "--engine", "reference", "--only", defect);
    expect(defects.code).toBe(0);
    expect(defects.out.at(-1)).toBe("0 passed, 0 failed");
    expect(defects.out.at(-2)).toMatch(/^1 upstream defect/);
  });

  it("writes nothing but JSON lines with --json", () => {
    const { code, out, error } = prefc(
      folder,
      "--engine",
      "reference",
      "--only",
      sigmoid,
      "--json",
    );
    expect(out.map((line) => (JSON.parse(line) as { readonly file: string }).file)).toEqual([
      sigmoid,
    ]);
    expect(error).toMatch(/1 passed, 0 failed$/);
    expect(code).toBe(0);
  });

  it("answers a wrong folder, engine or adapter in one line", () => {
    expect(prefc("/nowhere")).toMatchObject({
      code: 1,
      error:
        'prefc: There is no folder or file "/nowhere"; give the folder that holds the golden files.',
    });
    expect(prefc(folder, "--engine", "abacus")).toMatchObject({
      code: 1,
      error: expect.stringMatching(/^prefc: --engine is "abacus"; choose/),
    });
    expect(prefc(folder, "--adapter", "abacus")).toMatchObject({
      code: 1,
      error: expect.stringMatching(/^prefc: .*abacus/),
    });
  });
});
