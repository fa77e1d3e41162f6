// The shape of the source tree: imports run downward, files stay short and say what they are for, the general layers know
// no objective, and the library loads in a browser. Each rule is a function from a file to complaints, and each is first
// shown a file that breaks it, so that a rule that finds nothing is known to be able to.
import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { posix } from "node:path";
import { describe, expect, it } from "vitest";
import { general, isOutsideBrowsers, layers, objectiveNames, outsideBrowsers } from "./layers.ts";
import { blank, importsOf, sources, wordsOf, type Source } from "./source.ts";

type Rule = (source: Source) => readonly string[];

const longest = 250;
const shortestPurpose = 40;

const layerOf = (path: string): string => path.split("/")[0] ?? path;

const resolve = (from: string, specifier: string): string =>
  posix.normalize(posix.join(posix.dirname(from), specifier));

const known: Rule = ({ path }) =>
  layers.has(layerOf(path)) ? [] : [`${path}: "${layerOf(path)}" is not in the table of layers`];

const downward: Rule = ({ path, text }) => {
  const own = layerOf(path);
  return importsOf(text)
    .filter(({ specifier }) => specifier.startsWith("."))
    .flatMap(({ specifier, typesOnly }) => {
      const target = layerOf(resolve(path, specifier));
      const allowed =
        target === own ||
        layers.get(own)?.imports.includes(target) === true ||
        (typesOnly && layers.get(own)?.types.includes(target) === true);
      return allowed ? [] : [`${path}: ${own} may not import ${specifier} (${target})`];
    });
};

const explicit: Rule = ({ path, text }) =>
  importsOf(text)
    .filter(({ specifier }) => specifier.startsWith(".") && !specifier.endsWith(".ts"))
    .map(({ specifier }) => `${path}: "${specifier}" must name its file with .ts`);

const short: Rule = ({ path, text }) => {
  const lines = text.trimEnd().split("\n").length;
  return lines > longest ? [`${path}: ${lines} lines, more than ${longest}`] : [];
};

const purposeful: Rule = ({ path, text }) => {
  const body = text.replace(/^#![^\n]*\n/, "");
  const opening = /^(?:\/\/[^\n]*\n)+|^\/\*[\s\S]*?\*\//.exec(body)?.[0] ?? "";
  const words = opening.replaceAll(/[/*\s]+/g, " ").trim();
  return words.length < shortestPurpose ? [`${path}: must begin by saying what it is for`] : [];
};

const typed: Rule = ({ path, text }) =>
  /(?:[:<|&,]|\bas|=>?)\s*any\b(?!\s*[(.:?])/.test(blank(text).bare) ? [`${path}: "any"`] : [];

const neutral: Rule = ({ path, text }) => {
  if (!general.includes(layerOf(path))) return [];
  const words = wordsOf(blank(text).code);
  return objectiveNames.filter((name) => words.has(name)).map((name) => `${path}: names ${name}`);
};

const portable: Rule = ({ path, text }) => {
  if (outsideBrowsers.some((place) => place.test(path))) return [];
  const modules = importsOf(text)
    .map(({ specifier }) => specifier)
    .filter((specifier) => isOutsideBrowsers(specifier) || builtinModules.includes(specifier))
    .map((specifier) => `${path}: imports ${specifier}, which no browser has`);
  const globals = [...blank(text).bare.matchAll(/\b(?:process|Buffer)\s*\??\.\s*\w+/g)].map(
    ([use]) => `${path}: uses ${use}, which no browser has`,
  );
  return [...modules, ...globals];
};

const takersApart = ["core/axis.ts", "core/datum.ts"];

/** Ways to find out what an input or an axis is by its name: a method of a string, or a name put together again. */
const namesTakenApart: readonly RegExp[] = [
  /\b(?:name|axis|candidate|input|key|label)\.(?:startsWith|endsWith|includes\(["'`]|indexOf|split|slice|substring|match|replace)\w*/g,
  /\.split\(\s*["']\.["']/g,
  /\$\{[^}]*\}\.(?:logits|logp|logps)\.\$\{/g,
  /["'`](?:policy|ref|ids|reward|example|tokens|token|field|slot|z)\.(?:(?:logits|logps?)\.)?(?:["'`]|\$\{)/g,
  /\/\^?\(?(?:policy|ref|ids|reward|example|tokens|token|field|slot)\b[^/\n]*\\\./g,
];

const typedInputs: Rule = ({ path, text }) =>
  takersApart.includes(path)
    ? []
    : namesTakenApart.flatMap((shape) =>
        [...blank(text).code.matchAll(shape)].map(([found]) => `${path}: ${found}`),
      );

/** The files that load when `start` does: those it imports statically, for more than types, and theirs. */
const loadedWith = (start: string, files: ReadonlyMap<string, string>): ReadonlySet<string> => {
  const reached = new Set<string>();
  const visit = (path: string): void => {
    const text = files.get(path);
    if (text === undefined || reached.has(path)) return;
    reached.add(path);
    for (const { specifier, typesOnly, dynamic } of importsOf(text)) {
      if (specifier.startsWith(".") && !typesOnly && !dynamic) visit(resolve(path, specifier));
    }
  };
  visit(start);
  return reached;
};

const outsideBrowserImports = (
  loaded: ReadonlySet<string>,
  files: ReadonlyMap<string, string>,
): readonly string[] =>
  [...loaded].flatMap((path) =>
    importsOf(files.get(path) ?? "")
      .filter(
        ({ specifier, typesOnly, dynamic }) =>
          !typesOnly && !dynamic && isOutsideBrowsers(specifier),
      )
      .map(({ specifier }) => `${path}: loads ${specifier}`),
  );

const purpose = "// What this file is for, in a sentence long enough to help.\n";

const rules: readonly { name: string; rule: Rule; broken: readonly Source[] }[] = [
  {
    name: "every folder is in the table of layers",
    rule: known,
    broken: [{ path: "elsewhere/x.ts", text: "" }],
  },
  {
    name: "imports run downward",
    rule: downward,
    broken: [
      { path: "core/x.ts", text: 'import { y } from "../dsl/y.ts";' },
      { path: "core/x.ts", text: 'import type { Y } from "../ad/y.ts";' },
      { path: "core/x.ts", text: 'export {\n  y,\n} from "../ad/y.ts";' },
      { path: "core/x.ts", text: 'export * from "../ad/y.ts";' },
      { path: "core/x.ts", text: 'import "../ad/y.ts";' },
      { path: "core/deep/x.ts", text: 'const y = await import("../../ad/y.ts");' },
      { path: "core/x.ts", text: 'type Y = import("../ad/y.ts").Y;' },
      { path: "objectives/x.ts", text: 'import { y } from "../core/y.ts";' },
      { path: "index.ts", text: 'import { y } from "./cli/y.ts";' },
      { path: "compile/x.ts", text: 'import { y } from "../index.ts";' },
    ],
  },
  {
    name: "relative imports name the file",
    rule: explicit,
    broken: [{ path: "core/x.ts", text: 'import { y } from "./y.js";' }],
  },
  {
    name: `no file is longer than ${longest} lines`,
    rule: short,
    broken: [{ path: "core/x.ts", text: "x;\n".repeat(longest + 1) }],
  },
  {
    name: "each file begins by saying what it is for",
    rule: purposeful,
    broken: [
      { path: "core/x.ts", text: `const x = 1;\n${purpose}` },
      { path: "core/x.ts", text: "// x\nconst x = 1;\n" },
    ],
  },
  {
    name: "no type is any",
    rule: typed,
    broken: [
      { path: "core/x.ts", text: "const x: any = 1;" },
      { path: "core/x.ts", text: "const x = y as any;" },
      { path: "core/x.ts", text: "const x = `${y as any}`;" },
      { path: "core/x.ts", text: "type X = Map<string, any>;" },
      { path: "core/x.ts", text: "type X = readonly string[] | any[];" },
    ],
  },
  {
    name: "the general layers name no objective",
    rule: neutral,
    broken: [
      { path: "stream/x.ts", text: "const dpoLoss = 1;" },
      { path: "wgsl/x.ts", text: 'const x = "wpo_forward";' },
      { path: "core/x.ts", text: "const isSFT = true;" },
    ],
  },
  {
    name: "what an input or an axis is stands in its fields, and only one file each makes and reads names of them",
    rule: typedInputs,
    broken: [
      { path: "ad/x.ts", text: 'const isIds = name.startsWith("ids");' },
      { path: "check/x.ts", text: "const parts = input.name.split(dot);" },
      { path: "check/x.ts", text: 'const [kind] = text.split(".");' },
      { path: "plan/x.ts", text: "const response = axis.slice(6);" },
      { path: "runtime/x.ts", text: "const found = inputs[`${model}.logits.${response}`];" },
      { path: "runtime/x.ts", text: "const found = inputs[`policy.logits.${response}`];" },
      { path: "stream/x.ts", text: "const found = /^(policy|ref)\\.logits/.exec(text);" },
    ],
  },
  {
    name: "what only Node has is used only where Node is certain",
    rule: portable,
    broken: [
      { path: "core/x.ts", text: 'import { readFileSync } from "node:fs";' },
      { path: "runtime/x.ts", text: 'const { create } = await import("webgpu");' },
      { path: "core/x.ts", text: 'import { readFileSync } from "fs";' },
      { path: "runtime/x.ts", text: "const x = process.env;" },
    ],
  },
];

describe("the source tree", () => {
  const files = sources();

  for (const { name, rule, broken } of rules) {
    it.each(broken)(`would notice a breach of "${name}": $text`, (source) => {
      expect(rule(source)).toHaveLength(1);
    });

    it(name, () => {
      expect(files.flatMap(rule)).toEqual([]);
    });
  }

  it("accepts a file that keeps every rule", () => {
    const text = `${purpose}
import type { Node } from "../core/node.ts";
import { minus } from "../dsl/infix.ts";
// Comments may name dpo, import x from "../cli/y.ts" and be about any thing.
export const message = (node: Node): string => \`any \${minus(node, /["'\`]/g)} from "../cli/z.ts"\`;
`;
    expect(rules.flatMap(({ rule }) => rule({ path: "objectives/x.ts", text }))).toEqual([]);
  });

  it("loads in a browser", () => {
    const broken = new Map([
      ["index.ts", 'import type { Z } from "./z.ts";\nexport { y } from "./y.ts";'],
      ["y.ts", 'import { create } from "webgpu";\nconst z = await import("./z.ts");'],
      ["z.ts", 'import "node:fs";'],
    ]);
    expect(outsideBrowserImports(loadedWith("index.ts", broken), broken)).toEqual([
      "y.ts: loads webgpu",
    ]);

    const all = new Map(files.map(({ path, text }) => [path, text]));
    expect(outsideBrowserImports(loadedWith("index.ts", all), all)).toEqual([]);

    // the playground takes more than index.ts gives
    const taken = ["worker.ts", "module.ts"].flatMap((name) =>
      importsOf(readFileSync(new URL(`../../docs/playground/${name}`, import.meta.url), "utf8"))
        .map(({ specifier }) => specifier)
        .filter((specifier) => specifier.startsWith("../../src/"))
        .map((specifier) => specifier.replace("../../src/", "")),
    );
    expect(taken).toContain("check/check.ts");
    expect(taken.flatMap((path) => outsideBrowserImports(loadedWith(path, all), all))).toEqual([]);
  });
});
