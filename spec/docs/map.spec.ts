// The map of the specs is complete: each folder and each spec on the adapter has a row, and nothing else has one. The commits
// that CONTRIBUTING.md points to are in the history, where there is one.
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { read } from "./refresh.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The first column of the tables of a text, without their heads. */
const firstColumn = (text: string): readonly string[] =>
  [...text.matchAll(/^\| (`[^|]*?`) +\|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`([^`]*)`/g)].map(([, name]) => name!),
  );

describe("spec/README.md", () => {
  const [folders, onAdapter] = read("spec/README.md").split("## On the adapter");

  it("has a row for each folder", () => {
    const found = readdirSync(`${root}spec`, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    expect(firstColumn(folders!).toSorted()).toEqual(found.toSorted());
  });

  it("has a row for each spec on the adapter", () => {
    const found = readdirSync(`${root}spec/gpu`)
      .filter((name) => name.endsWith(".spec.ts"))
      .map((name) => name.replace(".spec.ts", ""));
    expect(firstColumn(onAdapter!).toSorted()).toEqual(found.toSorted());
  });
});

/** The messages of all commits, or none where this is no clone with its history. */
function history(): readonly string[] {
  try {
    return execFileSync("git", ["log", "--format=%s"], { cwd: root, encoding: "utf8" }).split("\n");
  } catch {
    return [];
  }
}

describe("CONTRIBUTING.md", () => {
  const text = read("CONTRIBUTING.md").replaceAll(/\s+/g, " ");
  const wanted = [...text.matchAll(/git show ':\/([^']*)'/g)].map(([, words]) => words!);
  const messages = history();

  it("names a commit in each recipe", () => {
    const recipes = text.split(" ### ").slice(1);
    expect(recipes).toHaveLength(7);
    for (const recipe of recipes) expect(recipe).toContain("git show ':/");
  });

  // a clone of the newest commit alone has no history to look at
  it.runIf(messages.length > 100)("names only commits that are in the history", () => {
    const missing = wanted.filter(
      (words) => words !== "WORDS" && !messages.some((message) => message.includes(words)),
    );
    expect(missing).toEqual([]);
  });

  it("names only scripts of package.json and specs that exist", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    const run = [...text.matchAll(/`npm run ([\w:-]+)/g)].map(([, name]) => name!);
    expect(run.filter((name) => scripts[name] === undefined)).toEqual([]);
    const specs = readdirSync(`${root}spec`, { recursive: true, encoding: "utf8" });
    const named = [...text.matchAll(/\bspec\/([\w/]+)/g)].map(([, path]) => path!);
    expect(named.length).toBeGreaterThan(20);
    expect(
      named.filter((path) => path !== "README" && !specs.some((file) => file.startsWith(path))),
    ).toEqual([]);
  });
});
