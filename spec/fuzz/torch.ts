// Random programs in PyTorch: each is emitted at every height that takes it, run in float64, and held to the interpreter within
// what float64 may lose on it. What a height does not hand out, and what no function of rows can be, is counted and no mismatch.
import { PrefcError } from "../../src/core/error.ts";
import type { Program } from "../../src/pipeline/pipeline.ts";
import { runTorch } from "../../src/conform/torch.ts";
import type { Python } from "../../src/python/worker.ts";
import { emitHeights, emitTorch, type EmitHeight } from "../../src/torch/emit.ts";
import { objectiveOf, type Case } from "./case.ts";
import type { Coverage } from "./coverage.ts";
import { expectedByInput, type Expected, type Named } from "./results.ts";

/** Bounds are of kernels in pairs and single floats; float64 has 2^29 times the digits of a single one. */
const ofSingle = 2 ** -27;
/** Sums are taken in another order, and normalised by other formulas. */
const ofLargest = 1e-11;

/** What an emitted function does not take. */
const refusals: readonly string[] = ["emit-statistic", "emit-beyond-a-row"];

function complaints(
  right: Named<Expected>,
  given: ReadonlyMap<string, ArrayLike<number>>,
  where: string,
): readonly string[] {
  return [...right].flatMap(([name, { values, bounds }]) => {
    const got = given.get(name);
    if (got === undefined || got.length !== values.length)
      return [
        `${where}: ${name} has ${got?.length ?? "no"} entries, and ${values.length} are right`,
      ];
    const size = Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const worst = Array.from(values, (value, entry) => {
      const allowed = ofLargest * size + ofSingle * bounds[entry]!;
      const off = Math.abs(got[entry]! - value);
      const same = Object.is(got[entry], value) || bounds[entry] === Infinity;
      return { entry, ratio: same ? 0 : Number.isNaN(off) ? Infinity : off / allowed };
    }).reduce((most, one) => (one.ratio > most.ratio ? one : most), { entry: 0, ratio: 0 });
    if (worst.ratio <= 1) return [];
    const { entry } = worst;
    return [
      `${where}/${name.split(" ")[0]} ${name} is ${got[entry]} at entry ${entry} where the interpreter has ${values[entry]}`,
    ];
  });
}

async function atHeight(
  one: Case,
  program: Program,
  python: Python,
  from: EmitHeight,
): Promise<readonly string[]> {
  const emitted = emitTorch(objectiveOf(one), { from });
  await python.load("fuzz", emitted.text);
  const params = { ...one.params, ...one.state };
  const run = await runTorch(python, emitted, "fuzz", program.loss, one.batch, params);
  const dropped = new Set(emitted.dropped.map((name) => `metric ${name}`));
  const right = new Map(
    [...expectedByInput(program, one.batch, params)].filter(([name]) => !dropped.has(name)),
  );
  const given = new Map<string, ArrayLike<number>>([
    ["loss", [run.loss]],
    ...Object.entries(run.metrics).map(([name, value]) => [`metric ${name}`, [value]] as const),
    ...Object.entries(run.state).map(([name, value]) => [`next ${name}`, [value]] as const),
    ...[...run.gradients].map(([input, { data }]) => [`gradient ${input.name}`, data] as const),
  ]);
  return complaints(right, given, `torch/${from}`);
}

/** Sentences about what disagrees at any height. */
export async function onTorch(
  one: Case,
  program: Program,
  python: Python,
  coverage: Coverage,
): Promise<readonly string[]> {
  if (Object.keys(one.heights).length > 0) {
    coverage.add("torch", "skipped, as its batch has no logits");
    return [];
  }
  const found: string[] = [];
  for (const from of emitHeights) {
    try {
      found.push(...(await atHeight(one, program, python, from)));
      coverage.add("torch", from);
    } catch (error) {
      if (!(error instanceof PrefcError)) throw error;
      if (refusals.includes(error.code)) coverage.add("torch", `${from}: ${error.code}`);
      else found.push(`torch/${from}/${error.code} ${error.message}`);
    }
  }
  return found;
}
