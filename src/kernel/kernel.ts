// The kernel level: one compute shader as data. Its statements (statement.ts) are a small structured tree, its values
// (value.ts) trees over the operators of the core, its buffers (buffer.ts) are known by what they hold. It knows no language:
// text.ts prints it for people, src/wgsl for a driver, and src/host runs it.

import type { Binding, Shared } from "./buffer.ts";
import type { Statement } from "./statement.ts";

export type { Binding, Buffer, Element, Memory, Role, Shared } from "./buffer.ts";
export * from "./statement.ts";
export * from "./value.ts";
export * from "./values.ts";

export interface Kernel {
  readonly name: string;
  readonly bindings: readonly Binding[];
  readonly workgroup: number;
  readonly shared: readonly Shared[];
  readonly body: readonly Statement[];
  /** How the grid is chosen: workgroups for the physical rows of a window, or by the work of a step of a row program. */
  readonly grid: "row" | "work";
  /** Rows that a workgroup has; 1. */
  readonly rows?: number;
  /** Workgroups that share a row, along z; 1. */
  readonly parts?: number;
}

/** `tokenOf` of a physical row that no completion token uses: its gradient is zero. */
export const noToken = 0xffffffff;
/** `tokenOf` of a physical row that another dispatch of the same pass writes. */
export const otherDispatch = 0xfffffffe;
