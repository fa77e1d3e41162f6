// `prefc bench OBJECTIVE...`: compiled objectives in rounds, beside each other, beside kernels written by hand, and beside the
// rates at which the adapter moves memory. Also compares two recorded runs, or this version with another commit.

import { defineCommand, type ArgsDef, type CommandDef } from "citty";
import { against } from "../bench/against.ts";
import { cold, coldText } from "../bench/cold.ts";
import { compareFiles } from "../bench/compare.ts";
import { readKernel, type Handwritten } from "../bench/handwritten.ts";
import { flags, paths, readOptions, valued, type Written } from "../bench/options.ts";
import { readRecorded, type RecordedStep } from "../bench/recorded.ts";
import type { Subject } from "../bench/subject.ts";
import { PrefcError } from "../core/error.ts";
import { positionalsOf, repeated } from "./arguments.ts";
import { benchmark } from "./benchmark.ts";
import { givenHeights, givenOptions, givenParams, objectiveArgs, oneOf } from "./given.ts";
import { loadModule } from "./load.ts";
import { loadObjective } from "./objective.ts";
import { print, printLine } from "./output.ts";
import { refuseOverwriting } from "./write.ts";

const args = {
  objective: {
    ...objectiveArgs.objective,
    description: `${objectiveArgs.objective.description}; several are measured beside each other`,
    required: false,
  },
  option: objectiveArgs.option,
  heights: objectiveArgs.heights,
  param: {
    type: "string",
    description: "a run-time parameter, such as beta=0.05; may be repeated",
    valueHint: "name=value",
  },
  kernel: {
    type: "string",
    description: "a kernel of yours beside the compiled ones: .wgsl, or a module; may be repeated",
    valueHint: "file",
  },
  ...Object.fromEntries(
    Object.entries(valued).map(([name, [initial, description, valueHint]]) => [
      name,
      { type: "string", description: `${description} (${initial})`, valueHint } as const,
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(paths).map(([name, [description, valueHint]]) => [
      name,
      { type: "string", description, valueHint } as const,
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(flags).map(([name, description]) => [
      name,
      { type: "boolean", description } as const,
    ]),
  ),
  batch: {
    type: "string",
    description: "a recorded training step (safetensors or .npz) that everything runs on",
    valueHint: "file",
  },
  compare: {
    type: "string",
    description: "measures nothing, and compares the JSON lines of this file with those of --with",
    valueHint: "file",
  },
  with: { type: "string", description: "the other file of --compare", valueHint: "file" },
  picture: {
    type: "string",
    description: "file for the picture of a comparison (SVG)",
    valueHint: "file",
  },
  against: {
    type: "string",
    description: "a commit that is built and measured in the same rounds, in a checkout of prefc",
    valueHint: "commit",
  },
  cold: {
    type: "boolean",
    description: "where the time to the first gradient goes, with the driver's caches off",
  },
} as const satisfies ArgsDef;

const command = defineCommand({
  meta: {
    name: "bench",
    description: "Times compiled kernels beside yours, each other and the adapter's ceilings",
  },
  args,
  run: async ({ args: given, rawArgs }) => {
    const written = given as unknown as Written;
    const options = readOptions(written);
    const names = positionalsOf(rawArgs, args);
    const read = ["batch", "lengths", "kernel", "compare", "with"].flatMap((name) =>
      repeated(rawArgs, args, name),
    );
    for (const name of ["json", "csv", "report", "roofline", "picture"])
      for (const path of repeated(rawArgs, args, name))
        refuseOverwriting(name, path, [...names, ...read]);
    const compared = repeated(rawArgs, args, "compare").at(-1);
    if (compared !== undefined) {
      refuseBesides("compare", names, ["with", "picture", "csv", "report"], rawArgs);
      const other = repeated(rawArgs, args, "with").at(-1);
      if (other === undefined)
        throw new PrefcError(
          "option-value",
          "--compare: give the other file by --with, such as --compare before.jsonl --with after.jsonl.",
        );
      print(compareFiles(compared, other, { ...options, picture: written["picture"] as string }));
      return 0;
    }
    if (names.length === 0) {
      throw new PrefcError(
        "missing-argument",
        "bench: OBJECTIVE is missing; name one or several, such as prefc bench dpo wpo, or two files by --compare and --with.",
      );
    }
    for (const name of ["against", "cold"])
      if (isWritten(rawArgs, name)) refuseTogether(name, ["batch"], rawArgs);
    const commit = repeated(rawArgs, args, "against").at(-1);
    if (commit !== undefined) {
      print(await against(commit, names, options, printLine));
      return 0;
    }
    if (written["cold"] === true) {
      for (const name of names) print(coldText(await cold(name, options)));
      return 0;
    }
    const subjects = await subjectsOf(names, rawArgs);
    const kernels: Handwritten[] = [];
    for (const path of repeated(rawArgs, args, "kernel"))
      kernels.push(await readKernel(path, loadModule));
    const path = repeated(rawArgs, args, "batch").at(-1);
    const recorded = path === undefined ? null : recordedIn(path, rawArgs);
    try {
      const lines = await benchmark({ subjects, kernels, options, recorded });
      return lines.every(({ ok }) => ok) ? 0 : 1;
    } finally {
      recorded?.close();
    }
  },
});

/** Options that mean nothing beside another one. */
function refuseBesides(
  option: string,
  names: readonly string[],
  allowed: readonly string[],
  rawArgs: readonly string[],
): void {
  const others = Object.keys(args).filter(
    (name) => name !== option && !allowed.includes(name) && isWritten(rawArgs, name),
  );
  const first = others.length > 0 ? `--${others[0]}` : names[0];
  if (first === undefined) return;
  throw new PrefcError(
    "option-value",
    `--${option} measures nothing, so ${first} has no meaning beside it; leave one of them out.`,
  );
}

const isWritten = (rawArgs: readonly string[], name: string): boolean =>
  rawArgs.some((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`));

/** @throws PrefcError option-value for the first of some options that mean nothing beside another */
function refuseTogether(
  option: string,
  others: readonly string[],
  rawArgs: readonly string[],
): void {
  const other = others.find((name) => isWritten(rawArgs, name));
  if (other === undefined) return;
  throw new PrefcError(
    "option-value",
    `--${option} and --${other} do not go together; leave one of them out.`,
  );
}

/** The step of --batch. What it says itself may not be given; --dtype is the type of numbers of two bytes that the file does not name. */
function recordedIn(path: string, rawArgs: readonly string[]): RecordedStep {
  refuseTogether("batch", ["rows", "vocab", "data", "lengths", "padding"], rawArgs);
  const dtype = repeated(rawArgs, args, "dtype").at(-1);
  return readRecorded(path, dtype === undefined ? null : oneOf("dtype", dtype, ["bf16", "f16"]));
}

/** The subjects of a command line; options and parameters are those of all of them, and are part of the names. */
async function subjectsOf(
  names: readonly string[],
  rawArgs: readonly string[],
): Promise<readonly Subject[]> {
  const [heights, params] = [givenHeights(rawArgs, args), givenParams(rawArgs, args)];
  const made: Subject[] = [];
  for (const name of names) {
    const options = givenOptions(name, rawArgs, args);
    const varied = Object.entries({ ...options, ...params }).map(([key, value]) =>
      [key, String(value)].join("="),
    );
    const objective = await loadObjective(name, options);
    made.push({ name: [name, ...varied].join(" "), objective, heights, params });
  }
  return made;
}

export default command as unknown as CommandDef;
