// The verifier of kernels: every rule is shown a kernel that breaks it, and a kernel of a built-in from which a declaration, an
// assignment's type or a barrier's company is taken at random is noticed.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compile, tdpo2, wpo } from "../../src/index.ts";
import * as buffers from "../../src/kernel/buffer.ts";
import * as k from "../../src/kernel/kernel.ts";
import type { Kernel, Statement, Value, Variable } from "../../src/kernel/kernel.ts";
import { verifyKernel } from "../../src/kernel/verify.ts";

const kernel = (body: readonly Statement[], rest: Partial<Kernel> = {}): Kernel => ({
  name: "example",
  bindings: [buffers.shapeBinding, buffers.reads(buffers.labels), buffers.writes(buffers.rows)],
  workgroup: 8,
  shared: [{ name: "partial", element: { type: "f32", lanes: 1 }, length: 8 }],
  body,
  grid: "row",
  ...rest,
});
const [i, x, v] = [k.variable("i", "u32"), k.variable("x"), k.variable("v", "f32", 4)];
const one = k.f32(1);
const isFirst = k.infix(k.lane, "==", k.u32(0));
const loop = (body: readonly Statement[], below: Value = k.u32(3)): Statement =>
  k.loop(i, k.u32(0), below, k.u32(1), body);
const rowAt = (index: Value): k.Load => k.load(buffers.rows, index);
/** A value that the constructors would refuse, as a lowering with a bug might make it. */
const forged = (value: object): Value => ({ type: "f32", lanes: 1, ...value }) as Value;

const broken: readonly (readonly [string, Kernel, string])[] = [
  ["a variable before it is declared", kernel([k.assign(rowAt(k.u32(0)), x)]), "x is not declared"],
  [
    "a variable outside the block that declares it",
    kernel([k.when(isFirst, [k.letValue(x, one)]), k.assign(rowAt(k.u32(0)), x)]),
    "x is not declared",
  ],
  [
    "a variable that is declared where it can be seen",
    kernel([k.letValue(x, one), k.when(isFirst, [k.letValue(x, one)])]),
    "x is declared twice",
  ],
  [
    "a value that is assigned to",
    kernel([k.letValue(x, one), k.assign(x, one)]),
    "x is not a variable",
  ],
  ["the counter of a loop", kernel([loop([k.assign(i, k.u32(0))])]), "i is not a variable"],
  [
    "a buffer that is only read",
    kernel([k.assign(k.load(buffers.labels, k.u32(0)), k.u32(1))]),
    "labels is only read",
  ],
  [
    "a buffer that is not bound",
    kernel([k.letValue(x, k.convert("f32", k.load(buffers.scalars, k.u32(0))))]),
    "scalars is not bound",
  ],
  [
    "a buffer that is bound with other elements",
    kernel([
      k.letValue(x, k.load({ ...buffers.labels, element: { type: "f32", lanes: 1 } }, k.u32(0))),
    ]),
    "labels has other elements",
  ],
  ["a variable of another type", kernel([k.letValue(i, one)]), "a variable of another type"],
  [
    "a place of another type",
    kernel([k.assign(rowAt(k.u32(0)), k.u32(1))]),
    "a value of another type",
  ],
  [
    "operands of different widths",
    kernel([k.letValue(v, k.plus(k.splat(one, 4), one))]),
    "plus of f32 × 4 and f32",
  ],
  [
    "an operator on what it does not take",
    kernel([
      k.letValue(
        i,
        forged({ kind: "binary", op: "shiftLeft", left: one, right: one, type: "u32" }),
      ),
    ]),
    "shiftLeft of f32 and f32",
  ],
  [
    "a component that a vector does not have",
    kernel([k.letValue(x, k.componentOf(k.splat(one, 4), 4))]),
    "component 4 of f32 × 4",
  ],
  ["an index that is no whole number", kernel([k.letValue(x, rowAt(one))]), "an index is f32"],
  [
    "a choice by a number",
    kernel([
      k.letValue(x, forged({ kind: "select", condition: one, whenTrue: one, whenFalse: one })),
    ]),
    "a choice by f32 of f32",
  ],
  [
    "a call with other arguments",
    kernel([k.letValue(k.variable("w", "u32", 4), k.call("widen_f16", k.u32(1)))]),
    "widen_f16 of u32",
  ],
  [
    "a barrier that one lane reaches",
    kernel([k.when(isFirst, [k.barrier])]),
    "some lanes skip a barrier",
  ],
  [
    "a barrier in a loop of as many rounds as the lane says",
    kernel([loop([k.barrier], k.lane)]),
    "some lanes skip a barrier",
  ],
  [
    "a barrier after some lanes have left",
    kernel([k.when(isFirst, [k.leave]), k.barrier]),
    "some lanes skip a barrier",
  ],
  [
    "a barrier where a variable differs from lane to lane",
    kernel([
      k.varValue(x, one),
      k.when(isFirst, [k.assign(x, k.f32(2))]),
      k.when(k.infix(x, ">", one), [k.barrier]),
    ]),
    "some lanes skip a barrier",
  ],
  [
    "an operation of a subgroup that some lanes skip",
    kernel([k.when(isFirst, [k.letValue(x, k.subgroup("max", one))])]),
    "some lanes skip an operation of their subgroup",
  ],
  [
    "an atomic change of an element that is not atomic",
    kernel([k.atomic("max", k.load({ ...buffers.labels }, k.u32(0)), k.u32(1))]),
    "the element is not atomic",
  ],
  [
    "too much shared memory",
    kernel([], {
      shared: [{ name: "partial", element: { type: "pair", lanes: 1 }, length: 8193 }],
    }),
    "a workgroup shares 65544 bytes",
  ],
  ["too many lanes", kernel([], { workgroup: 2048 }), "a workgroup has 2048 lanes"],
  [
    "two buffers of one name",
    kernel([], { bindings: [buffers.reads(buffers.labels), buffers.reads(buffers.labels)] }),
    "two buffers have one name",
  ],
];

describe("the verifier of kernels", () => {
  it.each(broken)("refuses %s", (_what, given, why) => {
    expect(() => verifyKernel(given)).toThrow(`: ${why}; this is a bug of prefc`);
  });

  it("accepts barriers that all lanes reach", () => {
    const all = k.infix(k.uniform("vocab"), ">", k.u32(4));
    const given = kernel([
      k.when(k.infix(k.group.x, ">=", k.u32(4)), [k.leave]),
      k.varValue(x, one),
      k.when(all, [k.assign(x, k.f32(2)), k.barrier]),
      loop([k.barrier], k.load(buffers.labels, k.group.x)),
      k.when(isFirst, [k.assign(rowAt(k.u32(0)), x)]),
    ]);
    expect(() => verifyKernel(given)).not.toThrow();
  });

  const kernels = [wpo(), tdpo2()].flatMap((objective) =>
    [{}, { rowLanes: 8, vector: 1, split: 2 } as const].flatMap((schedule) =>
      compile(objective, { schedule })
        .plan("valueAndGrad", 127)
        .steps.map((step) => step.kernel),
    ),
  );

  /** The statements without the n-th that a test picks, counted through all of them. */
  function without(body: readonly Statement[], pick: { left: number }): readonly Statement[] {
    return body.flatMap((statement): readonly Statement[] => {
      if (statement.kind === "for") return [{ ...statement, body: without(statement.body, pick) }];
      if (statement.kind === "if")
        return [k.when(statement.condition, without(statement.body, pick), statement.otherwise)];
      const isDeclared = statement.kind === "let" || statement.kind === "var";
      return isDeclared && pick.left-- === 0 ? [] : [statement];
    });
  }
  const declared = (body: readonly Statement[]): readonly Variable[] =>
    body.flatMap((statement): readonly Variable[] => {
      if (statement.kind === "for" || statement.kind === "if") return declared(statement.body);
      return statement.kind === "let" || statement.kind === "var" ? [statement.variable] : [];
    });
  const usesOf = (value: Value): readonly Variable[] =>
    value.kind === "variable" ? [value] : k.operandsOf(value).flatMap(usesOf);
  const used = (body: readonly Statement[]): readonly Variable[] =>
    body.flatMap((statement): readonly Variable[] => {
      switch (statement.kind) {
        case "let":
        case "var":
          return usesOf(statement.value);
        case "assign":
          return [...usesOf(statement.target), ...usesOf(statement.value)];
        case "atomic":
          return [...usesOf(statement.target), ...usesOf(statement.value)];
        case "for": {
          const bounds = [statement.from, statement.below, statement.step].flatMap(usesOf);
          return [...bounds, ...used(statement.body)];
        }
        case "if":
          return [
            ...usesOf(statement.condition),
            ...used(statement.body),
            ...used(statement.otherwise ?? []),
          ];
        case "barrier":
        case "return":
          return [];
      }
    });

  it("notices any declaration that is missing", () => {
    fc.assert(
      fc.property(fc.nat(kernels.length - 1), fc.nat(), (which, pick) => {
        const given = kernels[which]!;
        const all = declared(given.body);
        const position = pick % all.length;
        const variable = all[position]!;
        const body = without(given.body, { left: position });
        // the same variable may be declared in blocks beside each other
        fc.pre(used(body).includes(variable) && all.filter((one) => one === variable).length === 1);
        expect(() => verifyKernel({ ...given, body }), variable.name).toThrow(
          `${variable.name} is not declared`,
        );
      }),
    );
  });

  it("notices any barrier that comes to stand where one lane goes", () => {
    const withBarriers = kernels.filter(({ body }) => body.some(({ kind }) => kind === "barrier"));
    expect(withBarriers.length).toBeGreaterThan(2);
    for (const given of withBarriers) {
      const body = given.body.map((statement) =>
        statement.kind === "barrier" ? k.when(isFirst, [statement]) : statement,
      );
      expect(() => verifyKernel({ ...given, body })).toThrow("some lanes skip a barrier");
    }
  });
});
