// docs/errors.md: one entry for each error that prefc raises, from the catalogue in src/core/errors.
import { sections } from "../../src/core/errors/catalogue.ts";

/** What to tell someone whose change leaves the page behind. */
export const howToRefresh = "docs/errors.md is stale; run npm run errors and commit it";

export const errorsPage = (): string =>
  [
    "# Errors",
    "",
    "<!-- Written by `npm run errors` from src/core/errors; edit the rows there. -->",
    "",
    "Every wrong input ends in a `PrefcError`. Its `message` is one sentence that says what is wrong, where, and what to do;",
    "its `code` is stable, and this page has an entry for each. The command line prints the sentence to standard error and ends",
    "with exit status 1.",
    "",
    ...sections.flatMap(({ title, rows }) => [
      `## ${title}`,
      "",
      ...Object.entries(rows).flatMap(([code, { cause, remedy }]) => [
        `### ${code}`,
        "",
        `${cause} ${remedy}`,
        "",
      ]),
    ]),
  ].join("\n");
