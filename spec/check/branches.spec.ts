// What a check draws and which branches it takes: declared inputs, models near and far, numbers of either sign; and what it
// says of an objective that is hardly meant.
import { describe, expect, it } from "vitest";
import { checkObjective, type CheckSummary } from "../../src/check/check.ts";
import type { BatchReport } from "../../src/check/report.ts";
import { randomBatch } from "../../src/sample/batch.ts";
import { random } from "../../src/sample/random.ts";
import {
  builtIns,
  builtIn,
  compile,
  constant,
  exp,
  mean,
  minimum,
  neg,
  objective,
  relu,
  stopGrad,
  sum,
  where,
  type Batch,
  type Expr,
  type Objective,
  type PerExample,
} from "../../src/index.ts";
import { seed } from "../seed.ts";

const source = "a test";

async function checked(
  of: Objective,
  batches = 2,
): Promise<{ readonly reports: readonly BatchReport[]; readonly summary: CheckSummary }> {
  let summary: CheckSummary | undefined;
  const reports: BatchReport[] = [];
  const options = {
    batches,
    seed,
    device: null,
    summary: (all: CheckSummary) => void (summary = all),
  };
  for await (const report of checkObjective(of, options)) reports.push(report);
  return { reports, summary: summary! };
}

/** PPO's clipped surrogate: the clip is reached only by ratios far from 1 and the right sign of the advantage. */
const clipped = objective(
  "clipped",
  ["w"],
  ({ policy, old, y, tokens }) => {
    const r = exp(policy.logp(y.w).minus(old.logp(y.w)));
    const a = tokens("advantage", y.w, { from: -2, to: 2 });
    const inside = minimum(constant(1.2), where(r.lt(0.8), 0.8, r));
    return neg(mean("token", minimum(r.times(a), inside.times(a))));
  },
  { source, models: ["old"] },
);

describe("branches", () => {
  it("are taken both ways, by batches that are drawn for them", async () => {
    const { reports, summary } = await checked(clipped, 1);
    expect(summary).toMatchObject({ branches: 3, unreached: [], warnings: [] });
    expect(reports.flatMap(({ failures }) => failures)).toEqual([]);
    expect(summary.drawn).toEqual(['"tokens.advantage.w": from -2 to 2']);
  });

  it("are named where none is taken", async () => {
    const far = objective(
      "far",
      ["w"],
      ({ policy, y }) =>
        where(policy.logps(y.w).gt(5), 1, policy.logps(y.w)).plus(relu(policy.logps(y.w))),
      { source },
    );
    const { summary } = await checked(far);
    expect(summary.unreached).toHaveLength(2);
    expect(summary.unreached[0]).toMatch(
      /^no batch took where\(.*> 5, 1, .* with its condition true$/,
    );
    expect(summary.unreached[1]).toMatch(/^no batch took relu\(.*\) with its operand above 0$/);
  });

  it("behind numbers of either sign are taken although nothing is declared", async () => {
    const signed = objective(
      "signed",
      ["w"],
      ({ policy, y, example }) => relu(example("margin")).times(policy.logps(y.w)),
      { source },
    );
    const { reports, summary } = await checked(signed, 1);
    expect(summary.unreached).toEqual([]);
    expect(reports.map(({ mode }) => mode)).toEqual(["ordinary", "numbers of either sign"]);
  });
});

describe("declared inputs", () => {
  const declared = (options: Parameters<typeof drawnFor>[0]): readonly number[] =>
    drawnFor(options);
  function drawnFor(
    options: NonNullable<
      Parameters<Parameters<typeof objective>[2]>[0]["example"] extends (
        name: string,
        options?: infer O,
      ) => unknown
        ? O
        : never
    >,
  ): readonly number[] {
    const of = objective(
      "drawn",
      ["w"],
      ({ policy, y, example }) =>
        policy.logps(y.w).times(example("x", options)).times(example("below")),
      { source },
    );
    const needs = { ...compile(of).program, declared: of.declared };
    const draw = (n: number): Batch =>
      randomBatch(needs, { examples: 8, tokens: 2, vocab: [3, 3] }, random(seed, n));
    return Array.from({ length: 20 }, (_, n) => draw(n)).flatMap(({ inputs }) => {
      const [x, below] = [inputs["example.x"]!, inputs["example.below"]!];
      if (x.height !== "example" || below.height !== "example") return [];
      return options.above === undefined
        ? [...x.values]
        : [...x.values].map((value, example) => value - below.values[example]!);
    });
  }

  it("are drawn as they are declared", () => {
    for (const x of declared({ from: -2, to: 2 })) expect(Math.abs(x)).toBeLessThanOrEqual(2);
    expect(new Set(declared({ oneOf: [0, 1] }))).toEqual(new Set([0, 1]));
    for (const x of declared({ above: "below" })) expect(x).toBeGreaterThan(0);
    for (const x of declared({ kind: "logp" })) expect(x).toBeLessThan(0);
    for (const x of declared({ kind: "probability" })) expect(x * (1 - x)).toBeGreaterThan(0);
    expect(declared({ from: -2, to: 2 })).toContain(-2);
    expect(declared({ kind: "real" }).some((x) => x < 0)).toBe(true);
    for (const x of declared({ to: -1 })) expect(x).toBeLessThanOrEqual(-1);
  });

  it.each([
    [{ from: 1, to: 0 }, /from 1 to 0 is empty/],
    [{ oneOf: [] }, /oneOf is an array; give a list of finite numbers/],
    [{ kind: "logprob" }, /kind is the string "logprob"; give one of "real", "positive"/],
    [{ from: 0, oneOf: [1] }, /declared in 2 ways/],
    [{ form: 1 }, /no option "form".*Did you mean "from"/],
    [{ learned: 1 }, /learned is the number 1; give true or false/],
  ])("%j is refused", (options, sentence) => {
    expect(() =>
      objective("o", ["w"], ({ example }) => example("x", options as never), { source }),
    ).toThrow(sentence);
  });
});

describe("warnings", () => {
  const warned = async (of: Objective): Promise<readonly string[]> =>
    (await checked(of, 1)).summary.warnings;
  const logps = (g: {
    policy: { logps: (y: never) => Expr<PerExample> };
    y: { w: unknown };
  }): Expr<PerExample> => g.policy.logps(g.y.w as never);

  it("say that nothing is differentiated", async () => {
    const stopped = objective("stopped", ["w"], (g) => stopGrad(logps(g)), { source });
    expect(await warned(stopped)).toEqual([expect.stringMatching(/^nothing is differentiated/)]);
  });

  it("say that a response is not read", async () => {
    const one = objective("one", ["w", "l"], (g) => logps(g), { source });
    expect(await warned(one)).toEqual([
      'the response "l" is declared and never read; leave it out of the list, or read it',
    ]);
  });

  it("say that a comparison decides nothing", async () => {
    const ternary = objective(
      "ternary",
      ["w"],
      (g) => (logps(g).gt(0) ? logps(g) : logps(g).times(2)),
      { source },
    );
    expect(await warned(ternary)).toEqual([
      expect.stringMatching(/^the comparison .*> 0 decides nothing/),
    ]);
  });

  it("say that a condition is constant", async () => {
    const always = objective("always", ["w"], (g) => where(constant(1).gt(0), logps(g), 0), {
      source,
    });
    expect(await warned(always)).toEqual([expect.stringMatching(/is the same for every batch/)]);
  });

  it("say nothing of what the package brings", () => {
    for (const name of Object.keys(builtIns)) {
      const of = builtIn(name);
      expect([name, of.unused.length]).toEqual([name, 0]);
    }
    expect(sum).toBeTypeOf("function");
  });
});
