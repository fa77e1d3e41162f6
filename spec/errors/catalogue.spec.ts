// The catalogue of errors: no code is listed twice, each can be provoked and then says what is wrong and what to do, and the page
// that is written from it is up to date.
// That no other code is raised is what the type of `fail` says.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { PrefcError } from "../../src/core/error.ts";
import { sections } from "../../src/core/errors/catalogue.ts";
import { sources } from "../architecture/source.ts";
import { errorsPage, howToRefresh } from "./page.ts";
import type { Provoked } from "./provoke/index.ts";

const codes = sections.flatMap(({ rows }) => Object.keys(rows));
const raising = sources().filter(({ path }) => !path.startsWith("core/errors/"));

const raised = (code: string): boolean =>
  raising.some(({ text }) => text.includes(JSON.stringify(code)));

const print = fileURLToPath(new URL("provoke/print.ts", import.meta.url));
const child = execFileSync(process.execPath, ["--import", "tsx", print], {
  encoding: "utf8",
  stdio: ["ignore", "pipe", "inherit"],
  cwd: fileURLToPath(new URL("../../", import.meta.url)),
});
const found = JSON.parse(child) as Readonly<Record<string, Provoked>>;

describe("the catalogue of errors", () => {
  it("lists no code twice", () => {
    expect(codes.filter((code, position) => codes.indexOf(code) !== position)).toEqual([]);
  });

  it("is all that an error may be called, by its type", () => {
    // @ts-expect-error a code that has no row in src/core/errors does not compile
    expect(new PrefcError("no-such-code", "…").code).toBe("no-such-code");
  });

  it("writes codes in lower case with hyphens", () => {
    expect(codes.filter((code) => !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(code))).toEqual([]);
  });

  it("lists no code that nothing raises; remove its row from src/core/errors", () => {
    expect(raised("no-such-code")).toBe(false);
    expect(codes.filter((code) => !raised(code))).toEqual([]);
  });

  it("says of each error in whole sentences why it is raised and what to do", () => {
    const told = sections.flatMap(({ rows }) =>
      Object.values(rows).flatMap(({ cause, remedy }) => [cause, remedy]),
    );
    expect(told.filter((text) => !/^(?:\p{Lu}|--\w).* .*\.$/u.test(text))).toEqual([]);
  });

  it.each(codes)("has a provocation that ends in a sentence: %s", (code) => {
    expect(found[code]).toMatchObject({ code });
    const [sentence = ""] = found[code]!.message.split("\n");
    expect(sentence).not.toContain("[object Object]");
    // the part that says what to do
    expect(sentence).toMatch(/; | must be |, so | expected | needs |Did you mean|Install /);
  });

  it("is what docs/errors.md says", () => {
    const written = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");
    expect(written, howToRefresh).toBe(errorsPage(found));
  });
});
