// The diagrams of the documents are what their script draws today, and what they say of the source tree is true.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { diagrams } from "../../scripts/diagrams.ts";
import { box, colours } from "../../scripts/diagrams/draw.ts";
import { levels } from "../../scripts/diagrams/levels.ts";
import { rows } from "../../scripts/diagrams/rows.ts";
import { dispatches } from "../../scripts/diagrams/wpo.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = `${root}docs/pictures/`;

describe("the diagrams", () => {
  it("are all that the folder holds", () => {
    // screenshots are made by spec/browser
    const drawn = readdirSync(folder).filter((name) => !/^playground-\w+\.png$/.test(name));
    expect(drawn.toSorted()).toEqual(Object.keys(diagrams).toSorted());
  });

  it.each(Object.entries(diagrams))("are drawn anew: %s", (name, draw) => {
    expect(readFileSync(folder + name, "utf8"), "run npm run diagrams").toBe(draw());
  });

  it.each(levels)("name a folder, and a type that it exports: $type", ({ folder, type }) => {
    expect(existsSync(root + folder)).toBe(true);
    const exported = new RegExp(`^export (?:interface|type|class) ${type}\\b`, "m");
    const files = readdirSync(root + folder, { recursive: true, encoding: "utf8" });
    const found = files.filter(
      (file) =>
        file.endsWith(".ts") && exported.test(readFileSync(`${root}${folder}/${file}`, "utf8")),
    );
    expect(found, type).not.toEqual([]);
  });

  it("show every row of the batch once, with the logits one position before its token", () => {
    const places = rows().map(({ sequence, position }) => `${sequence},${position}`);
    expect(new Set(places).size).toBe(places.length);
    expect(rows()).toHaveLength(11);
    expect(rows()[0]).toMatchObject({ response: "w", label: 61, sequence: 0, position: 1 });
  });

  it("show that steps of WPO's row programs follow the reading passes, and the gradient comes last", () => {
    const names = dispatches().map(({ name }) => name.split(" ")[0]);
    expect(names.lastIndexOf("row")).toBeGreaterThan(names.lastIndexOf("read"));
    expect(names.lastIndexOf("write")).toBe(names.length - 1);
  });

  it("have no line that a box would cut", () => {
    const at = { x: 0, y: 0, width: 100, height: 46 };
    expect(() => box(at, "a heading that is far too long", [], colours.data)).toThrow(
      "does not fit",
    );
    expect(() => box(at, "a", ["b", "c"], colours.data)).toThrow("too many lines");
  });
});
