// docs/errors.md: one entry for each error that prefc raises. Causes and remedies are those of the catalogue in src/core/errors,
// sentences are those of errors that have just been provoked, so that the page says what a user will read.
import { sections } from "../../src/core/errors/catalogue.ts";
import type { Provoked } from "./provoke/index.ts";

/** What to tell someone whose change leaves the page behind. */
export const howToRefresh = "docs/errors.md is stale; run npm run errors and commit it";

/** @param found by code */
export const errorsPage = (found: Readonly<Record<string, Provoked>>): string =>
  [
    "# Errors",
    "",
    "<!-- Written by `npm run errors` from src/core/errors and spec/errors/provoke; edit the rows there. -->",
    "",
    "Every wrong input ends in a `PrefcError`. Its `message` is one sentence that says what is wrong, where, and what to do;",
    "its `code` is stable, and this page has an entry for each: an example of the sentence, why it is raised, and what to do.",
    "The command line prints the sentence to standard error and ends with exit status 1.",
    "",
    "## Index",
    "",
    // one code a line, so that two changes do not meet in one
    ...sections.flatMap(({ title, rows }) => [
      `**${title}**`,
      ...Object.keys(rows)
        .toSorted()
        .map((code) => `[${code}](#${code})`),
      "",
    ]),
    ...sections.flatMap(({ title, rows }) => [
      `## ${title}`,
      "",
      ...Object.entries(rows).flatMap(([code, { cause, remedy }]) => [
        `### ${code}`,
        "",
        "```text",
        found[code]?.message ?? "",
        "```",
        "",
        `${cause} ${remedy}`,
        "",
      ]),
    ]),
  ].join("\n");
