// `prefc plot OBJECTIVE…`: loss, gradient and weight of a pair against the margin or something else, several objectives in one
// picture. What is drawn is the float64 meaning; no GPU is needed.

import { defineCommand, type ArgsDef, type CommandDef } from "citty";
import { PrefcError } from "../core/error.ts";
import { svg } from "../draw/plot.ts";
import { againstHelp, againstOf } from "../plots/against.ts";
import { plotOf, type Named } from "../plots/plot.ts";
import { curvesOf } from "../plots/sweep.ts";
import type { Objective } from "../index.ts";
import { positionalsOf } from "./arguments.ts";
import { givenObjective, givenParams, objectiveArgs } from "./given.ts";
import { print, printError } from "./output.ts";
import { write } from "./write.ts";

const args = {
  objective: {
    ...objectiveArgs.objective,
    description: `${objectiveArgs.objective.description}; several are drawn in one picture`,
  },
  option: objectiveArgs.option,
  param: {
    type: "string",
    description: "a run-time parameter, such as beta=0.05; may be repeated",
    valueHint: "name=value",
  },
  against: {
    type: "string",
    description: `what the loss is drawn against: ${againstHelp}`,
    default: "margin",
    valueHint: "what",
  },
  out: {
    type: "string",
    description: "the SVG file to write; the standard output otherwise",
    valueHint: "file",
  },
} as const satisfies ArgsDef;

const command = defineCommand({
  meta: { name: "plot", description: "Loss, gradient and weight as a picture" },
  args,
  run: async ({ args: given, rawArgs }) => {
    const names = positionalsOf(rawArgs, args);
    const params = givenParams(rawArgs, args);
    const objectives: (readonly [name: string, objective: Objective])[] = [];
    for (const name of names) objectives.push([name, await givenObjective(name, rawArgs, args)]);
    const losses = objectives.map(([, { loss }]) => loss);
    const against = againstOf(given.against, losses, params);
    const all = objectives.map(([name, objective]): Named => ({
      // two modules may export objectives of one name
      name:
        objectives.filter(([, other]) => other.name === objective.name).length > 1
          ? name
          : objective.name,
      curves: curvesOf(objective, against),
    }));
    const made = all.find(({ curves }) => curves.fromLogits !== null)?.curves.fromLogits;
    printError(`${against.fixed}${made === undefined || made === null ? "" : `; ${made}`}.`);
    const picture = svg(plotOf(all, against));
    if (given.out === undefined) print(picture.trimEnd());
    else {
      if (!/\.svg$/i.test(given.out)) {
        throw new PrefcError(
          "option-value",
          `--out is ${JSON.stringify(given.out)}, but pictures are SVG; give a name that ends in .svg.`,
        );
      }
      write(given.out, picture, names);
    }
    return 0;
  },
});

export default command as unknown as CommandDef;
