// Every operator can be written in torch: as itself, or as what its row makes it of, which means the same.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { binary, param, unary } from "../../src/core/build.ts";
import { topological, type Node } from "../../src/core/node.ts";
import { binaryNames, binaryOps, unaryNames, unaryOps } from "../../src/core/ops.ts";
import { spelledOut, torchSpellings } from "../../src/torch/operators.ts";
import { valueOf } from "../support/checks.ts";

const [x, y] = [param("x"), param("y")];

/** The operators below a node that torch has no row for. */
const unspelled = (node: Node): readonly string[] =>
  topological([node]).flatMap((part) =>
    (part.tag === "unary" || part.tag === "binary") && !Object.hasOwn(torchSpellings, part.op)
      ? [part.op]
      : [],
  );

describe("an operator without a row of torch's", () => {
  it.each(unaryNames)("%s is written in terms of others", (op) => {
    if (!unaryOps[op].from.includes("f32")) return expect(torchSpellings).toHaveProperty(op);
    expect(unspelled(spelledOut([unary(op, x)])[0]!)).toEqual([]);
  });
  it.each(binaryNames)("%s is written in terms of others", (op) => {
    if (!binaryOps[op].from.includes("f32")) return expect(torchSpellings).toHaveProperty(op);
    expect(unspelled(spelledOut([binary(op, x, y)])[0]!)).toEqual([]);
  });

  it("means the same", () => {
    const { tanh, softplus, clampedExp, ...rest } = torchSpellings;
    expect([tanh, softplus, clampedExp]).not.toContain(undefined);
    fc.assert(
      fc.property(fc.double({ min: -5, max: 5, noNaN: true }), (at) => {
        for (const node of [unary("tanh", x), unary("softplus", x), binary("clampedExp", x, y)]) {
          const [written] = spelledOut([node], rest);
          expect(written).not.toBe(node);
          const params = { x: at, y: 1 };
          expect(valueOf(written!, undefined, params)).toBeCloseTo(
            valueOf(node, undefined, params),
            12,
          );
        }
      }),
    );
  });
});
