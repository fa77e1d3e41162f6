// The gallery is what its script makes of the objectives today.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { gallery, type Gallery } from "../../scripts/gallery/page.ts";
import { svg, ticks } from "../../src/draw/plot.ts";
import { builtIns } from "../../src/index.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const advice = "is out of date; run npm run gallery";

describe("the gallery", () => {
  let made: Gallery;
  beforeAll(async () => {
    made = await gallery(root);
  });

  it("is the page that the script writes", () => {
    expect(readFileSync(`${root}docs/gallery.md`, "utf8"), `docs/gallery.md ${advice}`).toBe(
      made.page,
    );
  });

  it("has the pictures that the script draws, and no others", () => {
    const files = existsSync(`${root}docs/gallery`) ? readdirSync(`${root}docs/gallery`) : [];
    const drawn = Object.entries(made.plots).map(([name, text]) => [`${name}.svg`, text] as const);
    expect(files.toSorted()).toEqual(drawn.map(([file]) => file).toSorted());
    for (const [file, text] of drawn) {
      expect(
        readFileSync(`${root}docs/gallery/${file}`, "utf8"),
        `docs/gallery/${file} ${advice}`,
      ).toBe(text);
    }
  });

  it("has one entry for each built-in objective, in order", () => {
    const headings = made.page.split("\n").flatMap((line) => /^## (.*)$/.exec(line)?.[1] ?? []);
    expect(headings).toEqual(Object.keys(builtIns));
  });
});

describe("a plot", () => {
  it("has round ticks within its range", () => {
    expect(ticks(-40, 40)).toEqual([-40, -20, 0, 20, 40]);
    expect(ticks(-0.35, 4.7)).toEqual([0, 1, 2, 3, 4]);
  });

  it("maps the ends of a line to the sides of its frame, and names both axes", () => {
    const text = svg({
      title: "a < b",
      axis: "across",
      positions: [0, 1],
      panels: [{ axis: "up", curves: [{ name: "line", values: [0, 1] }] }],
    });
    const [from, to] = /points="(\S+) (\S+)"/
      .exec(text)!
      .slice(1)
      .map((point) => point.split(",").map(Number));
    expect(from![0]).toBeLessThan(to![0]!);
    expect(from![1]).toBeGreaterThan(to![1]!);
    for (const name of [">across<", ">up<", "a &lt; b"]) expect(text).toContain(name);
  });
});
