// Random objectives made of objectives: built-ins and grown formulas under the combinators of the package, nested, each with
// random options. A combinator that refuses what it is given (a divergence of a loss without scores) is left out.
import type { Random } from "../../src/sample/random.ts";
import { PrefcError } from "../../src/core/error.ts";
import { wrap } from "../../src/dsl/facade.ts";
import {
  alphaDivergence,
  builtIns,
  forwardKl,
  greedy,
  jsDivergence,
  lengthDesensitised,
  lengthNormalised,
  mix,
  none,
  objective,
  param,
  referenceFree,
  reverseKl,
  sampled,
  weighted,
  withDivergence,
  withLabelSmoothing,
  withWeighting,
  type BuiltIn,
  type Objective,
  type Options,
  type PairwiseObjective,
} from "../../src/index.ts";
import { combined, grow } from "./grow.ts";
import { pool } from "./pool.ts";
import { pick, short, type Scene } from "./scene.ts";

const entries = Object.entries(builtIns);

/** Values for some of the options of a built-in. */
function someOptions(random: Random, { options }: BuiltIn): Options {
  const chosen: Record<string, number | boolean | string> = {};
  for (const [name, kind] of Object.entries(options)) {
    if (random.uniform() < 0.6) continue;
    if (kind === "boolean") chosen[name] = random.uniform() < 0.5;
    else if (kind === "number") chosen[name] = short(random, -1, 1);
    else if (Array.isArray(kind)) chosen[name] = pick(random, kind as readonly string[]);
    else {
      const { from, above, to, below } = kind as {
        from?: number;
        above?: number;
        to?: number;
        below?: number;
      };
      const low = from ?? (above === undefined ? 0.05 : above + 0.05);
      const high = to ?? (below === undefined ? low + 1.5 : below - 0.05);
      chosen[name] = short(random, low, Math.max(low, high));
    }
  }
  return chosen;
}

/** A built-in objective with random options, or with its own where they do not fit together. */
export function anyBuiltIn(random: Random): { readonly name: string; readonly made: Objective } {
  const [name, entry] = pick(random, entries);
  const options = someOptions(random, entry);
  try {
    return { name: `${name} ${JSON.stringify(options)}`, made: entry.make(options) };
  } catch (error) {
    if (!(error instanceof PrefcError)) throw error;
    return { name, made: entry.make() };
  }
}

const isPairwise = (one: Objective): one is PairwiseObjective =>
  one.responses.every((name) => name === "w" || name === "l");

interface Named {
  readonly name: string;
  readonly made: PairwiseObjective;
}

/** A formula grown over the pair, as an objective. */
function grown(scene: Scene): Named | undefined {
  const own = pool(scene);
  grow(own, 8);
  const loss = combined(own, 1);
  if (loss === undefined) return undefined;
  try {
    const made = objective("grown", ["w", "l"], () => wrap(loss), { source: "drawn at random" });
    return { name: "grown", made };
  } catch (error) {
    if (error instanceof PrefcError) return undefined;
    throw error;
  }
}

function base(scene: Scene): Named {
  const { random } = scene;
  if (random.uniform() < 0.2) {
    const own = grown(scene);
    if (own !== undefined) return own;
  }
  for (;;) {
    const { name, made } = anyBuiltIn(random);
    if (isPairwise(made)) return { name, made };
  }
}

type Combinator = readonly [name: string, apply: (inner: PairwiseObjective) => PairwiseObjective];

const combinators = (random: Random): readonly (() => Combinator)[] => [
  () => {
    const weight = short(random, -1, 2);
    return [`weighted ${weight}`, (inner) => weighted(inner, weight)];
  },
  () => ["weighted example", (inner) => weighted(inner, (g) => g.example("given"))],
  () => ["weighted param", (inner) => weighted(inner, param("weight", 0.7))],
  () => {
    const ε = short(random, 0.05, 0.4);
    return [`smoothed ${ε}`, withLabelSmoothing(ε)];
  },
  () => ["lengthNormalised", lengthNormalised],
  () => {
    const options = { ld_alpha: short(random, 0, 1), reference: random.uniform() < 0.5 };
    return [`lengthDesensitised ${JSON.stringify(options)}`, lengthDesensitised(options)];
  },
  () => {
    const alignment = pick(random, [sampled, greedy, none]);
    const clamp = pick(random, ["none", "product", "each"] as const);
    const responses = pick(random, ["pair", "chosen", "rejected"] as const);
    const stop = random.uniform() < 0.5;
    return [
      `weighting ${JSON.stringify({ clamp, responses, stop })}`,
      withWeighting(alignment, { clamp, responses, stop }),
    ];
  },
  () => {
    const divergence = pick(random, [
      jsDivergence,
      forwardKl,
      reverseKl,
      alphaDivergence({ f_alpha_divergence_coef: short(random, 0.1, 1.4) }),
    ]);
    return [divergence.name, withDivergence(divergence)];
  },
  () => ["referenceFree", (inner) => referenceFree(inner)],
];

function nestedIn(scene: Scene, depth: number): Named {
  const { random } = scene;
  if (depth === 0) return base(scene);
  const inner = nestedIn(scene, depth - 1);
  try {
    if (random.uniform() < 0.25) {
      const other = nestedIn(scene, random.integer(0, depth - 1));
      const parts = {
        first: [inner.made, short(random, 0.2, 1.5)],
        second: [other.made, short(random, -1, 1.5)],
      } as const;
      return { name: `mix(${inner.name}, ${other.name})`, made: mix(parts) };
    }
    const [name, apply] = pick(random, combinators(random))();
    return { name: `${name}(${inner.name})`, made: apply(inner.made) };
  } catch (error) {
    // it does not apply here, or the parts do not fit together
    if (error instanceof PrefcError) return inner;
    throw error;
  }
}

/** A pairwise objective under up to three combinators. */
export const nested = (scene: Scene): { readonly name: string; readonly made: Objective } =>
  nestedIn(scene, scene.random.integer(0, 3));
