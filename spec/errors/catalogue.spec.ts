// The catalogue of errors: no code is listed twice or raised by nothing, and the page that is written from it is up to date.
// That no other code is raised is what the type of `fail` says.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { PrefcError } from "../../src/core/error.ts";
import { sections } from "../../src/core/errors/catalogue.ts";
import { sources } from "../architecture/source.ts";
import { errorsPage, howToRefresh } from "./page.ts";

const codes = sections.flatMap(({ rows }) => Object.keys(rows));
const raising = sources().filter(({ path }) => !path.startsWith("core/errors/"));

const raised = (code: string): boolean =>
  raising.some(({ text }) => text.includes(JSON.stringify(code)));

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

  it("is what docs/errors.md says", () => {
    const written = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");
    expect(written, howToRefresh).toBe(errorsPage());
  });
});
