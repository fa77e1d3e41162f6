// How well the float64 meaning of each built-in agrees with the recorded results of published code that ship with the
// tests. A recorded file counts for the built-in whose name its objective has, a combinator's addition left aside.

import { readdirSync } from "node:fs";
import { readGolden } from "../../src/conform/golden.ts";
import { interpretGolden } from "../../src/conform/names.ts";
import { runConform } from "../../src/conform/run.ts";

export interface Agreement {
  readonly files: number;
  readonly agreeing: number;
  /** Files that record a defect of their source, and are compared with nothing. */
  readonly defects: number;
  /** The largest errors among agreeing files, rounded up to a power of ten; 0 for none. */
  readonly loss: number;
  readonly gradient: number;
}

const powerAbove = (value: number): number =>
  value <= 1e-15 ? 1e-15 : Number(`1e${Math.ceil(Math.log10(value))}`);

/** The built-in that an objective's name begins with: "dpo reference-free" is the built-in dpo under a combinator. */
export const builtInOf = (name: string, builtIns: readonly string[]): string | undefined =>
  builtIns.find((builtIn) => name === builtIn || name.startsWith(`${builtIn} `));

/** The agreement of each built-in that some file in the folder names. */
export async function agreements(
  folder: string,
  builtIns: readonly string[],
): Promise<ReadonlyMap<string, Agreement>> {
  const owners = new Map<string, string | undefined>();
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
    const { objective } = interpretGolden(readGolden(`${folder}/${file}`));
    owners.set(file, builtInOf(objective.name, builtIns));
  }
  const found = new Map<string, Agreement>();
  for (const { file, verdict, engines } of (await runConform(folder, { engine: "reference" }))
    .files) {
    const owner = owners.get(file);
    if (owner === undefined) continue;
    const before = found.get(owner) ?? {
      files: 0,
      agreeing: 0,
      defects: 0,
      loss: 1e-15,
      gradient: 1e-15,
    };
    const agrees = verdict === "ok";
    const worst = (key: "loss" | "gradient"): number =>
      Math.max(before[key], ...(agrees ? engines.map((engine) => powerAbove(engine[key])) : []));
    found.set(owner, {
      files: before.files + (verdict === "upstream defect" ? 0 : 1),
      agreeing: before.agreeing + (agrees ? 1 : 0),
      defects: before.defects + (verdict === "upstream defect" ? 1 : 0),
      loss: worst("loss"),
      gradient: worst("gradient"),
    });
  }
  return found;
}
