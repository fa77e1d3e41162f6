// Numbers and columns of explanations.

import { describe, expect, it } from "vitest";
import { aligned, broken, bytesText, countText, wrapped } from "../../src/explain/units.ts";

describe("bytes", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1_000, "1.00 kB"],
    [999_499, "999 kB"],
    [999_500, "1.00 MB"],
    [131_072_000, "131 MB"],
    [2_101_346_304, "2.10 GB"],
    [5e15, "5000 TB"],
  ])("%d are %s", (bytes, text) => {
    expect(bytesText(bytes)).toBe(text);
  });
});

describe("lines", () => {
  it("have commas in large counts", () => {
    expect(countText(128_256)).toBe("128,256");
  });
  it("wrap between items", () => {
    expect(wrapped(["one", "two", "three"], 9)).toEqual(["one, two,", "three"]);
  });
  it("break inside an item only if it is too long alone", () => {
    expect(wrapped(["a b c", "long item here"], 9)).toEqual(["a b c,", "long item", "here"]);
    expect(broken("unbreakable", 3)).toEqual(["unbreakable"]);
  });
  it("align columns", () => {
    expect(
      aligned(
        [
          ["a", "10"],
          ["bcd", "5"],
        ],
        [1],
      ),
    ).toEqual(["a    10", "bcd   5"]);
  });
});
