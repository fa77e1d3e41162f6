// Kernels written by hand, to be put beside compiled ones: what a module exports to have its kernels run on the benchmark's
// buffers, what it may bind, and how a plain .wgsl file is read as such a module. docs/benchmarks.md has an example.

import { readFileSync } from "node:fs";
import { basename, extname } from "node:path";
import { PrefcError } from "../core/error.ts";
import { didYouMean, listNames } from "../core/names.ts";
import { cite, mention } from "../core/quote.ts";
import type { StorageType } from "../core/storage.ts";
import { declaredIn, readDeclaration, readOnly } from "../wgsl/declared.ts";
import type { Subject } from "./subject.ts";

/** What a kernel is written for: everything that a module may need to choose its dispatches. */
export interface KernelShape {
  /** Rows of each tensor of logits. */
  readonly rows: number;
  readonly vocab: number;
  readonly dtype: StorageType;
  readonly examples: number;
  /** In the order in which their sequences are stacked: all examples of the first response, then of the second. */
  readonly responses: readonly string[];
  /** Tokens of every sequence where all have as many and every row is one of them; else null. */
  readonly tokens: number | null;
  /** Workgroup sizes worth trying on this adapter. */
  readonly lanes: readonly number[];
  /** Whether what the reference leaves is to be computed once, before anything is timed. */
  readonly cachedReference: boolean;
  /** Names of the objective's run-time parameters, in the order of the binding `params`. */
  readonly params: readonly string[];
}

/** One dispatch of a kernel. */
export interface KernelDispatch {
  readonly wgsl: string;
  /** The function to run; "main". */
  readonly entryPoint?: string;
  /** What its time is counted to; "setup" runs once and is not timed. */
  readonly direction: "setup" | "forward" | "backward";
  /** What is bound to group 0, from binding 0 on: names of data, or of the plan's own buffers. */
  readonly bindings: readonly string[];
  /** How many workgroups, or one for each row of the logits: these are cut into windows that fit a binding. */
  readonly groups: number | "rows";
  /** Rows that each of those workgroups has; 1. The last one may have fewer. */
  readonly rowsPerGroup?: number;
}

/** A way to compute an objective, or part of it. */
export interface KernelPlan {
  /** Own buffers by name: their bytes in all, or for each row of the logits. */
  readonly buffers?: Readonly<
    Record<string, { readonly bytes: number } | { readonly bytesPerRow: number }>
  >;
  readonly dispatches: readonly KernelDispatch[];
  /** The buffer whose f32 numbers, one for each example, make up the loss; without one the loss is not compared. */
  readonly loss?: { readonly buffer: string; readonly combine: "sum" | "mean" };
}

/** What a module exports as `default`; one objective's kernels. */
export interface KernelModule {
  /** The objective that it computes, by its name on the command line; may be left out where there is one. */
  readonly objective?: string;
  /** Plans to try, of which the fastest is kept; or a sentence that says why this shape cannot be run. */
  readonly plans: (shape: KernelShape) => readonly KernelPlan[] | string;
}

/** A module under the name that lines and tables give it. */
export interface Handwritten {
  readonly name: string;
  readonly module: KernelModule;
}

/** What may be bound: name, and the bytes that it has for each row of the logits, null where it has none. */
const dataNames = [
  "shape",
  "policy_logits",
  "ref_logits",
  "labels",
  "sequences",
  "offsets",
  "params",
  "policy_gradient",
] as const;
export type DataName = (typeof dataNames)[number];
const isData = (name: string): name is DataName => (dataNames as readonly string[]).includes(name);

/** What a kernel may write. */
const isOutput = (name: string): boolean => name === "policy_gradient" || !isData(name);

/** What no benchmark could put right: an unknown name, or an input that is bound to be written. @throws PrefcError kernel-binding */
export function checkDispatch(where: string, plan: KernelPlan, dispatch: KernelDispatch): void {
  const own = Object.keys(plan.buffers ?? {});
  const known = [...dataNames, ...own];
  for (const name of dispatch.bindings) {
    if (known.includes(name)) continue;
    throw new PrefcError(
      "kernel-binding",
      `${where}: it binds ${cite(name)}, which is no data of the benchmark; choose from ${listNames(known)}.${didYouMean(name, known)}`,
    );
  }
  for (const { binding, writes } of declaredIn(dispatch.wgsl)) {
    const name = dispatch.bindings[binding];
    if (name === undefined || !writes || isOutput(name)) continue;
    throw new PrefcError(
      "kernel-binding",
      `${where}: it binds ${cite(name)} as read_write, but that is an input that other kernels read as well; declare it ${readOnly}.`,
    );
  }
}

/** A file of WGSL whose variables have the names of data: one dispatch, a workgroup for each row. */
function moduleOfText(where: string, wgsl: string): KernelModule {
  const declared = declaredIn(wgsl).toSorted((a, b) => a.binding - b.binding);
  if (declared.length === 0 || declared.some(({ binding }, position) => binding !== position)) {
    throw new PrefcError(
      "kernel-binding",
      `${where}: ${declared.length === 0 ? "it declares no binding of group 0" : "its bindings are not numbered 0, 1, 2 and so on"}; declare variables named as data, such as ${readDeclaration("policy_logits", 0)}.`,
    );
  }
  const bindings = declared.map(({ name }) => name);
  const leaves = bindings.includes("policy_gradient");
  const losses = bindings.includes("losses");
  if (!leaves && !losses) {
    throw new PrefcError(
      "kernel-binding",
      `${where}: it binds no output; declare policy_gradient, or losses (one f32 for each example, whose mean is the loss).`,
    );
  }
  return {
    plans: ({ examples }) => [
      {
        ...(losses
          ? {
              buffers: { losses: { bytes: 4 * examples } },
              loss: { buffer: "losses", combine: "mean" } as const,
            }
          : {}),
        dispatches: [
          { wgsl, direction: leaves ? "backward" : "forward", bindings, groups: "rows" },
        ],
      },
    ],
  };
}

/** Reads a --kernel file; `load` imports a module. @throws PrefcError kernel-module, kernel-binding */
export async function readKernel(
  path: string,
  load: (path: string) => Promise<Readonly<Record<string, unknown>>>,
): Promise<Handwritten> {
  const where = `--kernel ${mention(path)}`;
  const name = basename(path, extname(path));
  if (extname(path) === ".wgsl") {
    let text: string;
    try {
      text = readFileSync(path, "utf8");
    } catch (error) {
      throw new PrefcError(
        "kernel-module",
        `${where}: it cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)}); name a file of WGSL, or a module.`,
        { cause: error },
      );
    }
    return { name, module: moduleOfText(where, text) };
  }
  const { default: found } = await load(path);
  const plans = (found as Partial<KernelModule> | undefined)?.plans;
  if (typeof found !== "object" || found === null || typeof plans !== "function") {
    throw new PrefcError(
      "kernel-module",
      `${where}: it does not export { objective, plans: (shape) => [...] } as default; docs/benchmarks.md has an example.`,
    );
  }
  return { name, module: found as KernelModule };
}

interface Chosen extends Handwritten {
  /** Whether a command line names it; those that ship with the package are silent where they cannot run. */
  readonly isAsked: boolean;
}

/** The kernels that ship with the package, by what they compute: what the package's own are measured against. */
async function shipped(): Promise<readonly KernelModule[]> {
  const url = new URL("../../kernels/expert/pairs.mjs", import.meta.url);
  return Object.values((await import(url.href)) as Record<string, KernelModule>);
}

/** Kernels of a subject: those that ship, for an objective as it ships, and those that were given. */
export async function handwrittenFor(
  { name, heights, params }: Subject,
  given: readonly Handwritten[],
): Promise<readonly Chosen[]> {
  const isAsShipped = Object.keys(heights).length === 0 && Object.keys(params).length === 0;
  const own = isAsShipped ? (await shipped()).filter(({ objective }) => objective === name) : [];
  return [
    ...own.map((module) => ({ name: "expert", module, isAsked: false })),
    ...given
      .filter(({ module }) => (module.objective ?? name) === name)
      .map((one) => ({ ...one, isAsked: true })),
  ];
}

/** Refuses kernels of objectives that are not measured. @throws PrefcError kernel-objective */
export function checkKernels(kernels: readonly Handwritten[], subjects: readonly Subject[]): void {
  const names = subjects.map(({ name }) => name);
  for (const { name, module } of kernels) {
    const { objective } = module;
    if (objective === undefined ? names.length === 1 : names.includes(objective)) continue;
    throw new PrefcError(
      "kernel-objective",
      objective === undefined
        ? `--kernel ${mention(name)}: it does not say which of ${listNames(names)} it computes; export { objective: "…", plans } or measure one objective.`
        : `--kernel ${mention(name)}: it computes ${cite(objective)}, which is not measured; name it on the command line beside ${listNames(names)}.${didYouMean(objective, names)}`,
    );
  }
}
