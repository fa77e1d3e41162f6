// Walks through the source tree: who follows `compile`, or a run, along the corridor of the compiler returns to few rooms that they
// had left. The tool is first shown a tree in which it must find a return.
import { describe, expect, it } from "vitest";
import { walk } from "./walk.ts";

const corridor = ["compile", "pipeline"];
const most = 7;

describe("a walk", () => {
  it("finds the rooms in order, and those that it returns to", () => {
    const files = [
      {
        path: "hall/a.ts",
        text: `import { one, three as third } from "../left/x.ts";
import * as right from "../right/y.ts";
import type { Four } from "../other/z.ts";
export const all = (given: Four) => { one(given); right.two(); return third; };`,
      },
      { path: "left/x.ts", text: "export function one() { return 1; } export const three = 3;" },
      {
        path: "right/y.ts",
        text: 'import { deep } from "../deep/w.ts"; export const two = () => deep();',
      },
      { path: "deep/w.ts", text: "export const deep = () => 0;" },
      { path: "other/z.ts", text: "export type Four = 4;" },
    ];
    expect(walk(["hall/a.ts", "all"], { corridor: ["hall"] }, files)).toEqual({
      stays: ["left", "right", "left"],
      returns: ["left"],
    });
    expect(
      walk(["hall/a.ts", "all"], { corridor: ["hall", "right"], apart: ["one"] }, files),
    ).toEqual({
      stays: ["deep", "left"],
      returns: [],
    });
  });

  it("of compile reads the levels in their order, and returns seldom", () => {
    const { stays, returns } = walk(["compile/compile.ts", "compile"], {
      corridor,
      apart: ["runner"],
    });
    const order = ["rewrite", "ad", "stream", "block", "rows", "kernel", "explain"];
    expect([...new Set(stays)].filter((room) => order.includes(room))).toEqual(order);
    expect(returns.length, stays.join(" > ")).toBeLessThanOrEqual(most);
  });

  it("of valueAndGrad checks, runs, and returns seldom", () => {
    const { stays, returns } = walk(["compile/running.ts", "runner"], { corridor });
    expect(stays).toContain("runtime/run");
    expect(returns.length, stays.join(" > ")).toBeLessThanOrEqual(most);
  });
});
