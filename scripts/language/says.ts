// What the source says of each word of the language: the comments of exported constants and functions, and of the members of
// interfaces, so that the page never says anything else.

import { readdirSync, readFileSync } from "node:fs";
import { parse } from "@babel/parser";

interface Comment {
  readonly type: string;
  readonly value: string;
}
interface Syntax {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly leadingComments?: readonly Comment[];
  readonly [field: string]: unknown;
}

const program = (text: string): readonly Syntax[] =>
  (
    parse(text, { sourceType: "module", plugins: ["typescript"] }).program as unknown as {
      body: readonly Syntax[];
    }
  ).body;

/** A comment as one paragraph, without the tags at its end. */
function paragraph(comments: readonly Comment[] | undefined): string {
  const doc = comments?.findLast(
    ({ type, value }) => type === "CommentBlock" && value.startsWith("*"),
  );
  const lines = (doc?.value ?? "").split("\n").map((line) => line.replace(/^\s*\*+ ?/, "").trim());
  const tag = lines.findIndex((line) => line.startsWith("@"));
  return lines
    .slice(0, tag < 0 ? undefined : tag)
    .join(" ")
    .trim();
}

const nameOf = (node: unknown): string | undefined =>
  (node as { readonly name?: string } | null | undefined)?.name;

/** The names that a statement declares. */
function declared(statement: Syntax): readonly string[] {
  const declaration = statement["declaration"] as Syntax | null | undefined;
  if (statement.type !== "ExportNamedDeclaration" || !declaration) return [];
  const list = declaration["declarations"] as readonly Syntax[] | undefined;
  return [nameOf(declaration["id"]), ...(list ?? []).map(({ id }) => nameOf(id))].filter(
    (name) => name !== undefined,
  );
}

/** The members of an interface with what is said of each, under "INTERFACE.MEMBER". */
function members(statement: Syntax): readonly (readonly [string, string])[] {
  const inner = (statement["declaration"] ?? statement) as Syntax;
  if (inner.type !== "TSInterfaceDeclaration") return [];
  const { body } = inner["body"] as { readonly body: readonly Syntax[] };
  return body.map((member) => [
    `${nameOf(inner["id"])}.${nameOf(member["key"]) ?? ""}`,
    paragraph(member.leadingComments),
  ]);
}

/** What is said of each exported word and interface member of some folders. */
export function comments(folders: readonly URL[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const files = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => file.endsWith(".ts"))
      .map((file) => new URL(file, folder)),
  );
  for (const file of files) {
    for (const statement of program(readFileSync(file, "utf8"))) {
      for (const [name, says] of members(statement)) found.set(name, says);
      const says = paragraph(statement.leadingComments);
      for (const name of declared(statement)) if (says !== "") found.set(name, says);
    }
  }
  return found;
}

/** The text of each formula of a file of examples, by "TABLE.NAME": what stands after the arrow. */
export function formulas(file: URL): ReadonlyMap<string, string> {
  const text = readFileSync(file, "utf8");
  const found = new Map<string, string>();
  for (const statement of program(text)) {
    const [first] = (statement["declarations"] ?? []) as readonly Syntax[];
    const table = first?.["init"] as Syntax | undefined;
    for (const property of (table?.["properties"] ?? []) as readonly Syntax[]) {
      if ((property["value"] as Syntax).type !== "ArrowFunctionExpression") continue;
      const key = property["key"] as { readonly name?: string; readonly value?: string };
      const { body } = property["value"] as { readonly body: Syntax };
      const formula = text.slice(body.start, body.end).replace(/\s+/g, " ");
      found.set(`${nameOf(first!["id"])}.${key.name ?? key.value}`, formula.replace(/,? \)/g, ")"));
    }
  }
  return found;
}
