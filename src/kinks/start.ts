// The kinks of an objective at its first step: the policy is every other model there, so log-ratios are 0 and ratios 1. They are
// found by looking at random batches of that kind, and count where every one of them lies on them.

import { PrefcError } from "../core/error.ts";
import type { Input, Node } from "../core/node.ts";
import type { Batch, Params } from "../batch/batch.ts";
import { stateOf } from "../batch/params.ts";
import { fewestFor, randomBatch } from "../sample/batch.ts";
import { inMode, start } from "../sample/modes.ts";
import { random } from "../sample/random.ts";
import type { Declared } from "../dsl/declared.ts";
import { kinksAt, type Kinks } from "./find.ts";
import { toldKinks, type ToldKink } from "./told.ts";

/** What is read of a compiled objective. */
export interface Startable {
  readonly loss: Node;
  readonly inputs: readonly Input[];
  readonly responses: readonly string[];
  readonly declared: Declared;
}

const size = { examples: 3, tokens: 3, vocab: [5, 7] } as const;
const draws = 2;

/** Whether there is another model that can be the policy. */
export const hasStart = ({ inputs }: Pick<Startable, "inputs">): boolean =>
  inputs.some(({ datum }) => "model" in datum && datum.model !== "policy");

/** A batch of the first step, by a seed. */
function startBatch({ loss, inputs, responses, declared }: Startable, seed: number): Batch {
  const source = random(seed, 0);
  const fewestExamples = Math.max(2, fewestFor(loss));
  const drawn = randomBatch({ responses, inputs, declared, fewestExamples }, size, source);
  return inMode(drawn, start, source);
}

/** The kinks at the first step, with the defaults of parameters; none where the loss is not defined there. */
export function kinksAtStart(program: Startable, params: Params = {}): readonly ToldKink[] {
  if (!hasStart(program)) return [];
  try {
    const known = { ...params, ...stateOf([program.loss], undefined) };
    let batch: Batch | undefined;
    let common: Kinks = { kinks: [], contests: [] };
    for (let seed = 1; seed <= draws; seed++) {
      const next = startBatch(program, seed);
      const found = kinksAt(program.loss, next, known);
      common =
        batch === undefined
          ? found
          : {
              kinks: common.kinks.filter(({ bend }) =>
                found.kinks.some((other) => other.bend.node === bend.node),
              ),
              contests: common.contests.filter(({ node }) =>
                found.contests.some((other) => other.node === node),
              ),
            };
      batch ??= next;
    }
    return toldKinks(common, batch!);
  } catch (error) {
    // a parameter without a default, or a loss that is not defined at this point
    if (error instanceof PrefcError) return [];
    throw error;
  }
}
