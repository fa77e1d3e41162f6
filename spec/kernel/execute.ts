// Runs statements of a kernel on the host without the rounding of single floats: the algebra of the running pass as the
// compiler wrote it. A lane starts with the variables that it is given and gives back what they hold at the end.
import { HostMemory } from "../../src/host/memory.ts";
import { Workgroup } from "../../src/host/run.ts";
import type { Shared, Statement, Variable } from "../../src/kernel/kernel.ts";
import { noExtents } from "../support/extents.ts";

type Lane = Readonly<Record<string, number>>;
export interface Given {
  /** What each lane starts with, and what is read back at the end, by name. */
  readonly variables: readonly Variable[];
  readonly shared: readonly Shared[];
}

/** Runs the statements on one lane for each record of variables; gives back the variables of each lane. */
export function executor(
  statements: readonly Statement[],
  { variables, shared }: Given,
): (lanes: readonly Lane[]) => readonly Record<string, number>[] {
  return (lanes) => {
    const memories = new Map(
      shared.map(({ name, element }) => [name, HostMemory.ofLength(lanes.length, element, true)]),
    );
    const workgroup = new Workgroup(lanes.length, {
      precision: "exact",
      memories,
      uniforms: noExtents,
      params: [],
      group: { x: 0, y: 0, z: 0 },
      subgroupSize: lanes.length,
    });
    for (const variable of variables)
      lanes.forEach((own, lane) => (workgroup.valuesOf(variable)[lane] = own[variable.name]!));
    workgroup.compile(statements)();
    return lanes.map((_, lane) =>
      Object.fromEntries(
        variables.map((variable) => [variable.name, workgroup.valuesOf(variable)[lane] as number]),
      ),
    );
  };
}
