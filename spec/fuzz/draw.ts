// One random case from a seed: half are grown from nothing, half are objectives of the package under nested combinators. As a
// fast-check arbitrary, a case shrinks as a term and a batch (shrink.ts), not as the random numbers behind it.
import { random as randomOf, type Random } from "../../src/sample/random.ts";
import type { Heights } from "../../src/pipeline/bind.ts";
import { binary, constant, state } from "../../src/core/build.ts";
import { topological, type Node } from "../../src/core/node.ts";
import { simplification } from "../../src/rewrite/simplify.ts";
import { rootsOf, trimmed, type Case } from "./case.ts";
import { admission, isWellDefined } from "./admit.ts";
import { closed, combined, grow, root } from "./grow.ts";
import { growRule } from "./patterns.ts";
import { pool } from "./pool.ts";
import { anyBuiltIn, nested } from "./nest.ts";
import { pick, scene, short, type Scene } from "./scene.ts";

const mean = state("mean", 0.25);

/** A program grown from nothing, or undefined when nothing trained came of it. */
function grownCase(seed: number, own: Scene): Case | undefined {
  const { random, responses, batch, params, state: given } = own;
  const made = pool(own);
  grow(made, random.integer(6, 26));
  // one rule after another, so that none is left to chance (exercised.spec.ts counts on this order)
  const pattern = growRule(made, simplification[seed % simplification.length]!);
  const loss = combined(made, random.integer(1, 3), pattern);
  if (loss === undefined) return undefined;
  const metrics: Record<string, Node> = {};
  for (let n = random.integer(0, 2); n > 0; n--) {
    const metric = root(made);
    if (metric !== undefined) metrics[`metric ${n}`] = metric;
  }
  const readsState = topological([loss, ...Object.values(metrics)]).includes(mean);
  const left = root(made);
  const moved = left === undefined ? undefined : closed(made, left, []);
  const next = { mean: binary("times", binary("plus", mean, moved ?? constant(1)), constant(0.5)) };
  return atHeights(random, {
    seed,
    origin: "grown",
    responses,
    loss,
    metrics,
    next: readsState ? next : {},
    batch,
    params,
    state: given,
    heights: {},
  });
}

/** The case with models bound at other heights than logits, now and then, if it stays well defined. */
function atHeights(random: Random, one: Case): Case {
  if (random.uniform() < 0.7) return one;
  const heights: Heights = pick(random, [
    { ref: "logps" },
    { ref: "logp" },
    { policy: "logps" },
    { policy: "logp", ref: "logps" },
  ] as const);
  const bound = { ...one, heights };
  return isWellDefined(bound) ? bound : one;
}

/** An objective of the package on a batch on which it is well defined. */
function nestedCase(seed: number, random: Random): Case | undefined {
  const single = random.uniform() < 0.12;
  const first = scene(random, { responses: ["w", "l"] });
  const { name, made } = single ? anyBuiltIn(random) : nested(first);
  const roots = [made.loss, ...Object.values(made.metrics), ...Object.values(made.next)];
  const names = topological(roots).flatMap((node) =>
    node.tag === "param" && node.kind === "param" && node.initial !== undefined
      ? [[node.name, node.initial] as const]
      : [],
  );
  // near their defaults, where the objective is meant to be used
  const params = Object.fromEntries(
    names.map(([param, initial]) => [param, initial * (0.8 + 0.2 * random.uniform())]),
  );
  const state = Object.fromEntries(
    Object.keys(made.next).map((key) => [key, made.state[key]! + short(random, 0, 1)]),
  );
  // a batch that brings a decision too close is drawn again: inputs are searched, not programs
  for (let attempt = 0; attempt < 6; attempt++) {
    const { batch } = scene(random, { responses: made.responses });
    const { admit } = admission(batch, { ...params, ...state });
    if (!roots.every(admit)) continue;
    const { responses, loss, metrics, next } = made;
    const one = { seed, origin: name, responses, loss, metrics, next, batch, params, state };
    return atHeights(random, { ...one, heights: {} });
  }
  return undefined;
}

/** The values of parameters and states that the roots read. */
function readOnly(one: Case): Case {
  const nodes = topological([one.loss, ...Object.values(one.metrics), ...Object.values(one.next)]);
  const names = new Set(nodes.flatMap((node) => (node.tag === "param" ? [node.name] : [])));
  const kept = (values: Case["params"]): Case["params"] =>
    Object.fromEntries(Object.entries(values).filter(([name]) => names.has(name)));
  return trimmed({ ...one, params: kept(one.params), state: kept(one.state) });
}

export interface DrawOptions {
  /** The most different terms of the loss and all that is beside it; a larger case is drawn again. */
  readonly terms?: number;
}

/** The case of a seed: the same on every machine. */
export function draw(seed: number, { terms = Infinity }: DrawOptions = {}): Case {
  for (let attempt = 0; ; attempt++) {
    const random = randomOf(seed, attempt);
    const made = random.uniform() < 0.6 ? grownCase(seed, scene(random)) : nestedCase(seed, random);
    if (made === undefined) continue;
    // metrics are what makes most objectives of the package large
    const whole = topological(rootsOf(made)).length <= terms ? made : { ...made, metrics: {} };
    if (topological(rootsOf(whole)).length <= terms) return readOnly(whole);
  }
}
