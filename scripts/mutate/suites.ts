// Which files are mutated and which specs must notice: those that run without a GPU in a few seconds, the quickest first.

export interface Suite {
  readonly files: RegExp;
  /** Rounds of specs; a mutant that survives one goes on to the next. */
  readonly rounds: readonly (readonly string[])[];
}

const rules = ["spec/rewrite/rules.spec.ts", "spec/rewrite/stability.spec.ts"];
const meaning = ["spec/stream/meaning.spec.ts"];

export const suites: readonly Suite[] = [
  {
    files: /^src\/core\/ops\.ts$/,
    rounds: [
      ["spec/ad/rows.spec.ts", "spec/core/sort.spec.ts", "spec/reference/interpret.spec.ts"],
      ["spec/rewrite/rules.spec.ts", "spec/reference/masked.spec.ts", "spec/ad/gradient.spec.ts"],
      ["spec/ad/losses.spec.ts"],
    ],
  },
  {
    files: /^src\/ad\//,
    rounds: [
      ["spec/ad/gradient.spec.ts", "spec/core/smart.spec.ts", "spec/ad/sort.spec.ts"],
      ["spec/ad/laws.spec.ts", "spec/ad/rows.spec.ts", "spec/ad/losses.spec.ts"],
      ["spec/ad/second.spec.ts", "spec/reference/masked.spec.ts", "spec/rewrite/simplify.spec.ts"],
    ],
  },
  {
    files: /^src\/rewrite\//,
    rounds: [
      [...rules, "spec/rewrite/linear.spec.ts"],
      ["spec/rewrite/engine.spec.ts", "spec/rewrite/laws.spec.ts", "spec/rewrite/simplify.spec.ts"],
      ["spec/stream/forms.spec.ts"],
    ],
  },
  { files: /^src\/stream\//, rounds: [["spec/stream/forms.spec.ts"], meaning] },
  { files: /^src\/kernel\/(?:moment|combine)\.ts$/, rounds: [["spec/kernel/moments.spec.ts"]] },
];

/** Tests of size, which are slow and notice nothing that others do not. */
export const left: readonly string[] = ["200,000 nodes", "any depth", "any amount of sharing"];

/** The rounds of specs for a file; undefined for one that is not mutated. */
export const roundsOf = (file: string): readonly (readonly string[])[] | undefined =>
  suites.find(({ files }) => files.test(file))?.rounds;
