// Every spec runs: each is in one lane, what is called long is there, and the last line of `npm test` tells what it left out.
import { describe, expect, it } from "vitest";
import { deviceFolders, lanes, long } from "../lanes.ts";
import { lastLine, specs } from "../told.ts";

/** A pattern of lanes.ts, which knows only these two wildcards, as a regular expression. */
const expressionOf = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern.replaceAll(".", String.raw`\.`).replaceAll(/\*\*\/|\*/g, (star) => (star === "*" ? "[^/]*" : "(?:.*/)?"))}$`,
  );

describe("the lanes of the specs", () => {
  it("have each spec once", () => {
    const among = (file: string, patterns: readonly string[]): boolean =>
      patterns.some((pattern) => expressionOf(pattern).test(file));
    const lanesOf = (file: string): readonly string[] =>
      lanes
        .filter(({ include, exclude }) => among(file, include) && !among(file, exclude))
        .map(({ name }) => name);
    const wrong = specs().filter((file) => lanesOf(file).length !== 1);
    expect(wrong).toEqual([]);
    expect(lanesOf("spec/gpu/new.spec.ts")).toEqual(["device"]);
    expect(lanesOf("spec/new/new.spec.ts")).toEqual(["core"]);
  });

  it("name only what exists", () => {
    expect(specs()).toEqual(expect.arrayContaining(Object.keys(long)));
    for (const folder of deviceFolders)
      expect(
        specs().filter((file) => file.startsWith(`spec/${folder}/`)),
        folder,
      ).not.toEqual([]);
  });
});

describe("the last line of a run", () => {
  const all = ["a", "b", "c", "d"];

  it.each([
    [["a", "b", "c", "d"], /^All 4 spec files ran\.$/],
    [["a", "b"], /^2 of 4 spec files ran\. "npm run test:all" runs the 2 long ones as well\.$/],
    [["b", "c", "a"], /^3 of 4 .*the 1 long/],
  ])("after %j", (ran, line) => expect(lastLine(ran, all, ["c", "d"])).toMatch(line));

  it("is not there when somebody chose the specs", () =>
    expect(lastLine(["a", "c"], all, ["c", "d"])).toBe(undefined));
});
