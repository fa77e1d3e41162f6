// Nothing lies about: every value that src exports is imported by another file, and every package that is installed is imported or is
// a tool that a script starts. Both checks are first shown what breaks them.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { blank, importsOf, sources, type Source } from "./source.ts";

const root = new URL("../../", import.meta.url);
const filesIn = (folder: string): readonly Source[] =>
  readdirSync(fileURLToPath(new URL(`${folder}/`, root)), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => ({
      path: `${folder}/${path}`,
      text: readFileSync(fileURLToPath(new URL(`${folder}/${path}`, root)), "utf8"),
    }));

/** What the package offers to its users; rows of a table, which is made of the whole module; hooks that Node asks for. */
const isPublic = (path: string): boolean =>
  path === "index.ts" ||
  path.endsWith("/index.ts") ||
  path.startsWith("core/operators/") ||
  path === "cli/load.ts";

const exported = (code: string): readonly string[] =>
  [
    ...code.matchAll(
      /^export (?:declare )?(?:async )?(?:const|let|function\*?|class|abstract class|enum) (\w+)/gm,
    ),
  ].map(([, name]) => name!);
/** The names that a file takes from others: in its imports and re-exports, and as members of a whole module. */
function taken(code: string): ReadonlySet<string> {
  const clauses = [...code.matchAll(/^(?:import|export)(?: type)? \{([^}]*)\} from /gm)];
  const named = clauses.flatMap(([, names]) =>
    names!.split(",").map((name) =>
      name
        .trim()
        .replace(/^type /, "")
        .replace(/ as .*$/, ""),
    ),
  );
  const inline = [...code.matchAll(/import\([^)]*\)\)?\.(\w+)/g)].map(([, name]) => name!);
  const isWhole = /^import (?:type )?\* as |\bimport\(/m.test(code);
  const members = isWhole ? [...code.matchAll(/(?:\.|\{ |, )(\w+)/g)].map(([, name]) => name!) : [];
  return new Set([...named, ...inline, ...members]);
}

const unused = (files: readonly Source[], users: readonly Source[]): readonly string[] => {
  const takenBy = [...files, ...users].map(({ path, text }) => {
    return { path, names: taken(blank(text).code) };
  });
  const isWhole = new Set(
    [...files, ...users].flatMap(({ text }) =>
      [...blank(text).code.matchAll(/export \* (?:as \w+ )?from "([^"]*)"/g)].map(([, from]) =>
        from!.replace(/^.*\//, ""),
      ),
    ),
  );
  return files
    .filter(({ path }) => !isPublic(path) && !isWhole.has(path.replace(/^.*\//, "")))
    .flatMap(({ path, text }) =>
      exported(blank(text).code)
        .filter((name) => !takenBy.some((other) => other.path !== path && other.names.has(name)))
        .map((name) => `${path}: ${name}`),
    );
};

describe("exports", () => {
  it.each([
    "export const forgotten = 1;",
    "export function forgotten(): void {}",
    "export class Forgotten {}",
  ])("would be noticed without a user: %s", (text) => {
    const user = {
      path: "b.ts",
      text: 'import { other } from "./a.ts";\nconst forgotten = other;',
    };
    expect(unused([{ path: "a.ts", text }], [user])).toHaveLength(1);
  });

  it("have a user in another file", () => {
    const users = ["spec", "bench", "scripts", "docs/playground"].flatMap(filesIn);
    expect(unused(sources(), users)).toEqual([]);
  });
});

/** Packages that no file imports, and what uses them. */
const tools: Readonly<Record<string, string>> = {
  "@types/node": "types of Node, which tsconfig.json names",
  "@webgpu/types": "types of WebGPU, which tsconfig.json names",
  "@vitest/coverage-v8": "vitest --coverage",
  "oxlint-tsgolint": "the rules of oxlint that need types",
  oxfmt: "npm run format",
  oxlint: "npm run lint",
  typescript: "npm run types",
  "axe-core": "read as text by a spec, into the page that it looks at",
};

describe("packages", () => {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
    readFileSync(fileURLToPath(new URL("package.json", root)), "utf8"),
  ) as Readonly<Record<string, Readonly<Record<string, string>>>>;
  const own = Object.keys(dependencies!);
  const all = [...own, ...Object.keys(devDependencies!), ...Object.keys(optionalDependencies!)];
  const importedBy = (files: readonly Source[]): ReadonlySet<string> =>
    new Set(
      files.flatMap(({ text }) =>
        importsOf(text).map(({ specifier }) =>
          specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/"),
        ),
      ),
    );
  const inSources = importedBy(sources());
  const anywhere = importedBy(
    ["src", "spec", "bench", "scripts", "docs/playground"].flatMap(filesIn),
  );

  it("that users install are imported by src", () => {
    const idle = own.filter((name) => !inSources.has(name) && !Object.hasOwn(tools, name));
    expect(idle).toEqual([]);
  });

  it("that are installed are imported or are tools", () => {
    expect(all.filter((name) => !anywhere.has(name) && !Object.hasOwn(tools, name))).toEqual([]);
  });

  it("that are called tools are installed and imported by nothing", () => {
    expect(Object.keys(tools).filter((name) => !all.includes(name) || anywhere.has(name))).toEqual(
      [],
    );
  });
});
