// The text of docs/trl.md: what TRL's names mean in prefc, release by release. The numbers are what every release computed on
// one batch (measured.json), the meanings are those of as_of, and the recorded files are those that ship with the tests.

import { readdirSync, readFileSync } from "node:fs";
import { readGolden } from "../../src/conform/golden.ts";
import { newestRelease } from "../../src/index.ts";
import {
  lossesIn,
  lossReleases,
  meaningIn,
  releaseOf,
  type Meaning,
} from "../../src/objectives/trl-releases.ts";

interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}
interface Change {
  readonly release: string;
  readonly what: string;
  /** Configurations with the number before and after, as "name: before → after; …". */
  readonly numbers: string;
  readonly silent: boolean;
}
interface Measured {
  readonly source: string;
  readonly tables: readonly Table[];
  readonly changes: readonly Change[];
}

const measured = JSON.parse(
  readFileSync(new URL("measured.json", import.meta.url), "utf8"),
) as Measured;

const cell = (text: string): string => text.replaceAll("|", "\\|");
/** A table with columns of even width, as the formatter writes it. */
function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [columns, ...rows].map((row) => row.map(cell));
  const widths = columns.map((_, column) => Math.max(3, ...all.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((text, column) => text.padEnd(widths[column]!)).join(" | ")} |`;
  const [heading, ...rest] = all;
  return [line(heading!), line(widths.map((width) => "-".repeat(width))), ...rest.map(line)].join(
    "\n",
  );
}

const minors = [
  ...Array.from({ length: 23 }, (_, index) => `0.${index + 7}`),
  ...Array.from({ length: 17 }, (_, index) => `1.${index}`),
];

/** What a meaning says of each option, in words. */
const said: Readonly<Record<string, (meaning: Meaning) => string>> = {
  label_smoothing: ({ smoothed }) => `read by ${smoothed.join(", ")}`,
  f_divergence_type: ({ divergence, divergent }) =>
    ({
      absent: "no option",
      ignored: "ignored: every run is reverse_kl",
      margin: `replaces the margin in ${divergent.join(", ")}`,
      scores: `replaces log-ratios, without constants, in ${divergent.join(", ")}`,
      centred: `replaces log-ratios, 0 at h = 0, in ${divergent.join(", ")}; refused elsewhere`,
    })[divergence],
  f_alpha_divergence_coef: ({ divergence, alpha }) =>
    divergence === "absent" || divergence === "ignored"
      ? "not read"
      : `${divergence === "margin" ? "1 − α" : "α"}, by default ${alpha}`,
  use_weighting: ({ weighting }) =>
    ({
      absent: "no option",
      clamped: "the product of the weights, at most 1",
      shifted: "weights of the tokens beside theirs, which as_of refuses",
      plain: "the product of the weights",
    })[weighting],
  ld_alpha: ({ desensitising }) =>
    ({
      absent: "no option",
      sequence: "counts positions from the start of the prompt, which as_of refuses",
      completion: "counts positions over the completion",
    })[desensitising],
  ipo: ({ averages }) =>
    averages
      ? "makes all log-probabilities averages over tokens, also those of other losses in a list"
      : "divides its own scores by lengths",
  bco_pair: ({ shifted }) =>
    shifted ? "less a running average of rewards" : "of rewards as they are",
  sft: ({ withoutIdZero }) => (withoutIdZero ? "leaves out tokens with id 0" : "of all tokens"),
  reference_free: ({ referenceFree }) => (referenceFree ? "an option" : "no option"),
  rpo_alpha: ({ likelihood }) => (likelihood ? "an option" : "no option"),
};

/** Neighbouring releases of which something says the same. */
function ranges(of: (minor: string) => string): readonly (readonly [string, string])[] {
  const found: { from: string; to: string; text: string }[] = [];
  for (const minor of minors) {
    const text = of(minor);
    const last = found.at(-1);
    if (last?.text === text) last.to = minor;
    else found.push({ from: minor, to: minor, text });
  }
  return found.map(({ from, to, text }) => [from === to ? from : `${from} to ${to}`, text]);
}

const meanings = (): string =>
  table(
    ["name", "releases", "what it means"],
    Object.entries(said).flatMap(([name, words]) =>
      ranges((minor) => words(meaningIn(minor))).map(([releases, text]) => [
        `\`${name}\``,
        releases,
        text,
      ]),
    ),
  );

const losses = (): string => {
  const now = lossesIn(releaseOf("page", newestRelease));
  return table(
    ["loss_type", "since", "until"],
    Object.entries(lossReleases).map(([name, [since, until]]) => [
      `\`${name}\``,
      since,
      now.some((current) => current === name) ? "" : `${until}`,
    ]),
  );
};

const changes = (): string =>
  table(
    ["release", "how", "what changed", "where it was measured"],
    measured.changes.map(({ release, what, numbers, silent }) => [
      release,
      silent ? "silently" : "loudly",
      what,
      numbers
        .split("; ")
        .map((one) => one.split(": ")[0]!)
        .join("; "),
    ]),
  );

const numbers = (): string =>
  measured.tables
    .map(({ title, columns, rows }, position) =>
      [
        ...(measured.tables[position - 1]?.title === title ? [] : [`### ${title}`, ""]),
        table(columns, rows),
        "",
      ].join("\n"),
    )
    .join("\n");

const recordings = (): string => {
  const folder = new URL("../../spec/conformance/", import.meta.url).pathname;
  const names = readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .map((file) => readGolden(`${folder}${file}`).objective)
    .filter((name) => /^(?:dpo|trl-[\d.]+)\//.test(name));
  return [...new Set(names)]
    .toSorted()
    .map((name) => `- \`${name}\``)
    .join("\n");
};

/** The page. */
export const trlPage = (): string => `# TRL by release

<!-- Written by \`npm run trl\`; do not edit it here. -->

The same arguments have computed different numbers over the releases of TRL, mostly without a word. Names and options of TRL mean
release ${newestRelease} in prefc. \`as_of\` names another one, of \`trl_dpo\`, \`bco_pair\` and \`sft\`:

\`\`\`sh
prefc explain trl_dpo --option loss_type=ipo --option f_divergence_type=js_divergence --option as_of=1.9
\`\`\`

An option that a release ignores or does not have is refused in a sentence that says so.

## What names meant

${meanings()}

Releases 0.12 cut the last token of the longest sequences of a batch, whatever the loss; \`as_of\` refuses them.

## Losses

${losses()}

KTO, CPO, SimPO, AlphaPO and ORPO never moved in value since they are there, but for ORPO in 0.9. \`grpo\`, \`rloo\` and \`gkd\` are
those of ${newestRelease} and take advantages as data. What makes advantages of rewards within a group of completions waits for groups
in the language: GRPO's and RLOO's baselines, and with them \`top_entropy_quantile\` and the entropy bonus.

## What changed

${changes()}

## What was measured

${measured.source}. A number with a star differs from the release before; – is not offered or refused; † is computed, but its
gradient raises an error. Neighbours that are equal share a row.

${numbers()}
## Recorded files

\`prefc conform\` reads files of every release, as \`trl-1.16/ipo/js_divergence\` or \`trl-0.28/hinge\`; names that begin with \`dpo/\` were
recorded after 1.9.0. These ship with the tests:

${recordings()}
`;
