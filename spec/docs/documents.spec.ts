// What documents show is what is printed today (run scripts/refresh-docs.ts when this fails), and what they point to exists.
import { existsSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { excerpt } from "./excerpt.ts";
import { marked, read, refreshed } from "./refresh.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

describe("printed text", () => {
  it.each(marked)("is what is printed today: %s", async (document) => {
    expect(read(document)).toBe(await refreshed(document));
  });

  it("would be noticed when stale", async () => {
    const document = "docs/how-it-works.md";
    const text = read(document);
    const stale = text.replace("logSumExp[vocab]", "logSumExp[elsewhere]");
    expect(stale).not.toBe(text);
    expect(await refreshed(document, stale)).toBe(text);
  });

  it("has a marker for everything that is printed, and nothing else", async () => {
    const document = "docs/how-it-works.md";
    const text = read(document);
    await expect(refreshed(document, `${text}<!-- printed: nothing -->\n`)).rejects.toThrow(
      "nothing is printed for nothing",
    );
    await expect(refreshed(document, text.replaceAll("printed: core", "core"))).rejects.toThrow(
      "no marker for core",
    );
    expect(() => excerpt("a\nb", /a/, /c/)).toThrow("no lines from");
  });
});

/** A document without its fenced blocks. */
const proseOf = (document: string): string => read(document).replaceAll(/^```[^]*?^```/gm, "");

describe("every document", () => {
  const documents = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "spec/README.md",
    "data/README.md",
    ...readdirSync(`${root}docs`, { recursive: true })
      .map((name) => `docs/${String(name)}`)
      .filter((name) => name.endsWith(".md")),
  ];

  it.each(documents)("links only to files that exist: %s", (document) => {
    // code within a line may hold what looks like a link
    const prose = proseOf(document).replaceAll(/`[^`\n]*`/g, "");
    const links = prose.matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g);
    const targets = [...links].map(([, target]) => join(dirname(root + document), target!));
    const missing = targets.filter((target) => !existsSync(target));
    expect(missing.map((target) => relative(root, target))).toEqual([]);
  });

  it.each(documents)("names only files that exist: %s", (document) => {
    const names = /`((?:src|spec|docs|data|kernels|scripts|bench)\/[\w./-]*)`/g;
    const named = [...proseOf(document).matchAll(names)].map(([, path]) => path!);
    expect(named.filter((path) => !existsSync(root + path))).toEqual([]);
  });
});
