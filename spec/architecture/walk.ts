// A walk through the source tree, as a reader takes it who follows a call along a corridor: from a function of the corridor to
// every function that it mentions, in the order of the text, each one once. The corridor is the folders that join all others,
// which are its rooms. A room is read when it is entered, with the words of lower rooms that it uses, and the walk goes on in the
// corridor. What counts is how often the walk enters a room that it had left.
import { parse } from "@babel/parser";
import { posix } from "node:path";
import { sources, type Source } from "./source.ts";

type Tree = { readonly type: string; readonly [key: string]: unknown };
const isTree = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && typeof (value as Tree).type === "string";

interface Module {
  /** Top-level functions, constants and classes that are no types. */
  readonly own: ReadonlyMap<string, Tree>;
  /** What a name of another module is called there; null for all of it under a name of its own. */
  readonly imported: ReadonlyMap<string, readonly [path: string, name: string | null]>;
}

function moduleOf(path: string, text: string): Module {
  const { body } = parse(text, { sourceType: "module", plugins: ["typescript"] }).program;
  const own = new Map<string, Tree>();
  const imported = new Map<string, readonly [string, string | null]>();
  const resolve = (specifier: string): string =>
    posix.normalize(posix.join(posix.dirname(path), specifier));
  for (const statement of body as unknown as Tree[]) {
    if (statement.type === "ImportDeclaration" || statement.type === "ExportNamedDeclaration") {
      const { value } = (statement["source"] as { readonly value?: string } | null) ?? {};
      if (value?.startsWith(".") === true && statement["importKind"] !== "type") {
        for (const specifier of statement["specifiers"] as Tree[]) {
          const local = specifier["local"] as { readonly name: string };
          const name = (specifier["imported"] ?? local) as { readonly name: string };
          const exported = (specifier["exported"] ?? local) as { readonly name: string };
          if (specifier["importKind"] === "type" || specifier["exportKind"] === "type") continue;
          const all = specifier.type === "ImportNamespaceSpecifier";
          imported.set(exported.name, [resolve(value), all ? null : name.name]);
        }
      }
    }
    const declared = (statement["declaration"] ?? statement) as Tree;
    if (declared.type === "FunctionDeclaration" || declared.type === "ClassDeclaration")
      own.set((declared["id"] as { readonly name: string }).name, declared);
    if (declared.type === "VariableDeclaration")
      for (const { id, init } of declared["declarations"] as {
        id: { name?: string };
        init: Tree;
      }[])
        if (id.name !== undefined) own.set(id.name, init);
  }
  return { own, imported };
}

/** Where a walk was, in order: a stay is as long as it remains in one room. */
export interface Walk {
  readonly stays: readonly string[];
  /** Rooms that were entered again, in order. */
  readonly returns: readonly string[];
}

const skipped = new Set(["loc", "typeAnnotation", "returnType", "typeParameters", "typeArguments"]);

export interface Way {
  /** Folders whose functions are followed; the core, whose words all rooms use, is no room. */
  readonly corridor: readonly string[];
  /** Functions that begin a walk of their own. */
  readonly apart?: readonly string[];
}

export function walk(
  [first, begin]: readonly [path: string, name: string],
  { corridor, apart = [] }: Way,
  files: readonly Source[] = sources(),
): Walk {
  const modules = new Map(files.map(({ path, text }) => [path, moduleOf(path, text)]));
  const seen = new Set<string>();
  const stays: string[] = [];
  const enter = (path: string, name: string): void => {
    const module = modules.get(path);
    const room = posix.dirname(path);
    if (module === undefined || seen.has(`${path} ${name}`)) return;
    if (apart.includes(name)) return;
    seen.add(`${path} ${name}`);
    const body = module.own.get(name);
    const from = module.imported.get(name);
    if (body === undefined) {
      if (from !== undefined && from[1] !== null) enter(from[0], from[1]);
      return;
    }
    if (room === "core") return;
    if (corridor.includes(room)) visit(body, path, module);
    else if (stays.at(-1) !== room) stays.push(room);
  };
  const mention = (path: string, module: Module, name: string): void => {
    const from = module.imported.get(name);
    if (from !== undefined && from[1] !== null) enter(from[0], from[1]);
    else if (module.own.has(name)) enter(path, name);
  };
  const visit = (node: unknown, path: string, module: Module): void => {
    if (Array.isArray(node)) {
      for (const one of node) visit(one, path, module);
      return;
    }
    if (!isTree(node) || node.type.startsWith("TS")) {
      if (isTree(node) && "expression" in node) visit(node["expression"], path, module);
      return;
    }
    if (node.type === "Identifier") mention(path, module, node["name"] as string);
    const object = node["object"];
    if (node.type === "MemberExpression" && isTree(object) && object.type === "Identifier") {
      const from = module.imported.get(object["name"] as string);
      if (from?.[1] === null) {
        enter(from[0], (node["property"] as { readonly name: string }).name);
        return;
      }
    }
    for (const [key, value] of Object.entries(node)) {
      if (skipped.has(key)) continue;
      if (key === "property" && node["computed"] !== true) continue;
      if (key === "key" && node["computed"] !== true) continue;
      visit(value, path, module);
    }
  };
  enter(first, begin);
  const returns = stays.filter((room, position) => stays.indexOf(room) < position);
  return { stays, returns };
}
