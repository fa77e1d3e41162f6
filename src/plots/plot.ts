// Several objectives in one plot: a panel for the loss, one for each gradient, and one for weights where any objective has them.

import type { Panel, Plot } from "../draw/plot.ts";
import type { Against, Curves } from "./sweep.ts";

/** The curves of an objective, under the name that a legend gives it. */
export interface Named {
  readonly name: string;
  readonly curves: Curves;
}

const gradientOf = (isReward: boolean, response: string): string =>
  `d loss / d ${isReward ? "reward" : "log π"}(y_${response})`;

/** The plot of some objectives against the same thing. */
export function plotOf(all: readonly Named[], { axis, positions }: Against): Plot {
  const single = all.length === 1;
  const isReward = all.every(({ curves }) => curves.isReward);
  const gradients: readonly Panel[] = single
    ? [
        {
          axis: "gradient",
          curves: ["w", "l"].flatMap((response) => {
            const { curves } = all[0]!;
            const values = curves.gradients[response];
            return values === undefined ? [] : [{ name: gradientOf(isReward, response), values }];
          }),
        },
      ]
    : ["w", "l"].map((response) => ({
        axis: gradientOf(isReward, response),
        curves: all.flatMap(({ name, curves }) => {
          const values = curves.gradients[response];
          return values === undefined ? [] : [{ name, values }];
        }),
      }));
  const weights = all.flatMap(({ name, curves: { weight } }) =>
    weight === null ? [] : [{ name, values: weight }],
  );
  const panels: readonly Panel[] = [
    {
      axis: "loss",
      curves: all.map(({ name, curves }) => ({
        name: single ? "loss" : name,
        values: curves.loss,
      })),
    },
    ...gradients,
    ...(weights.length === 0 ? [] : [{ axis: "weight", curves: weights }]),
  ];
  return {
    title: all.map(({ name }) => name).join(", "),
    axis,
    positions,
    legend: !single,
    panels: panels.filter(({ curves }) => curves.length > 0),
  };
}
