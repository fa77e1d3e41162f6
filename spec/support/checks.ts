// Small helpers that many tests need: the code of an error, and the value of an expression that reads no data.
import { expect } from "vitest";
import { PrefcError } from "../../src/core/error.ts";
import type { Batch, Params } from "../../src/batch/batch.ts";
import type { Node } from "../../src/core/node.ts";
import { evaluate } from "../../src/reference/interpret.ts";

/** Expects a PrefcError of this code whose message matches every pattern, and nothing else. */
export const expectError = (
  run: () => unknown,
  code: string,
  ...messages: readonly RegExp[]
): void => {
  let thrown: unknown;
  try {
    run();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(PrefcError);
  expect((thrown as PrefcError).code).toBe(code);
  for (const message of messages) expect((thrown as PrefcError).message).toMatch(message);
};

/** One example, one vocabulary entry and no data: enough for an expression of parameters. */
export const noData: Batch = { examples: 1, vocab: 1, responses: {}, inputs: {} };

/** The values of one expression. */
export const valuesOf = (
  node: Node,
  batch: Batch = noData,
  params: Params = {},
): readonly number[] => [...evaluate([node], batch, params)[0]!.data];

/** The value of an expression without axes. */
export const valueOf = (node: Node, batch: Batch = noData, params: Params = {}): number => {
  expect(node.axes).toEqual([]);
  return valuesOf(node, batch, params)[0]!;
};
