// The compiled kernels as an engine. Files of one objective share one compiled program, because hyper-parameters are
// values of its uniforms; terms are interned, so equal losses are the same node and need no other key.

import { nameOfDatum } from "../core/datum.ts";
import type { Node } from "../core/node.ts";
import type { Objective } from "../dsl/index.ts";
import { compile, type Compiled } from "../compile/compile.ts";
import type { Device } from "../runtime/device/device.ts";
import { noLogits, type Computed, type Engine } from "./engine.ts";

interface Kept {
  readonly metrics: Objective["metrics"];
  readonly compiled: Compiled;
}

const sameMetrics = (a: Objective["metrics"], b: Objective["metrics"]): boolean =>
  Object.keys(a).length === Object.keys(b).length &&
  Object.entries(a).every(([name, node]) => b[name] === node);

export function gpuEngine(device: Device): Engine {
  const kept = new Map<Node, readonly Kept[]>();
  const compiledFor = (objective: Objective): Compiled => {
    const known = kept.get(objective.loss) ?? [];
    const match = known.find(({ metrics }) => sameMetrics(metrics, objective.metrics));
    if (match !== undefined) return match.compiled;
    const compiled = compile(objective, { device });
    kept.set(objective.loss, [...known, { metrics: objective.metrics, compiled }]);
    return compiled;
  };
  return {
    name: "gpu",
    run: async ({ objective, params, state }, batch): Promise<Computed> => {
      const compiled = compiledFor(objective);
      const { loss, metrics, perExample, gradients } = await compiled.valueAndGrad(batch, {
        params,
        ...(state === undefined ? {} : { state }),
        perExample: true,
      });
      const scores = objective.responses.map(
        (response) => gradients[nameOfDatum({ kind: "reward", response })],
      );
      const parts = gradients["policy"] === undefined ? scores : [gradients["policy"]];
      const gradient = parts.flatMap((part) =>
        part instanceof Float32Array ? [...part] : noLogits(),
      );
      return {
        loss,
        gradient,
        perExample: perExample ?? null,
        quantities: {},
        metrics: {},
        averages: metrics,
      };
    },
    close: () => {
      for (const same of kept.values()) for (const { compiled } of same) compiled.dispose();
      kept.clear();
    },
  };
}
