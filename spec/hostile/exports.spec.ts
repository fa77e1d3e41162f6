// Nothing raw leaves the package: every function that it exports, and every method of what `compile` returns, gives a result or a
// PrefcError, whatever it is called with. What a user's own function throws is the user's.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as prefc from "../../src/index.ts";
import { PrefcError, compile, dpo } from "../../src/index.ts";

const wrong: readonly unknown[] = [
  undefined,
  null,
  0,
  -1,
  1.5,
  Number.NaN,
  Infinity,
  "x",
  "",
  true,
  10n,
  Symbol("s"),
  () => 1,
  [],
  [1],
  [null],
  {},
  { a: 1 },
  { beta: -1 },
  new Float32Array(3),
  new Date(0),
  Promise.resolve(1),
  new Map(),
  dpo,
  dpo(),
  dpo().loss,
  Object.create(null),
  new Proxy({}, {}),
  "vocab",
  "batch",
];

type Call = (...args: readonly unknown[]) => unknown;

/** Calls it, and what it returns if that is a function. @returns what was thrown that is no PrefcError */
async function raw(call: Call, args: readonly unknown[], depth = 1): Promise<unknown> {
  try {
    const result = await call(...args);
    if (typeof result !== "function" || depth === 0) return null;
    for (const one of wrong) {
      const found = await raw(result as Call, [one], depth - 1);
      if (found !== null) return found;
    }
    return null;
  } catch (error) {
    return error instanceof PrefcError ? null : error;
  }
}

// opening devices again and again is for the specs of devices
const left = new Set(["PrefcError", "openDevice"]);
const compiled = compile(dpo());
const functions = new Map<string, Call>([
  ...Object.entries(prefc).flatMap(([name, value]): [string, Call][] =>
    typeof value === "function" && !left.has(name) ? [[name, value as Call]] : [],
  ),
  ...Object.entries(compiled).flatMap(([name, value]): [string, Call][] =>
    typeof value === "function" ? [[`compiled.${name}`, value as Call]] : [],
  ),
]);

describe("whatever a function is called with", () => {
  it.each([...functions.keys()])("%s gives a result or a sentence", async (name) => {
    const call = functions.get(name)!;
    expect(await raw(call, [])).toBeNull();
    for (const one of wrong) expect([one, await raw(call, [one])]).toEqual([one, null]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...wrong), { minLength: 1, maxLength: 4 }),
        async (args) => {
          expect(await raw(call, args, 0)).toBeNull();
        },
      ),
      { numRuns: 60 },
    );
  });

  it("openDevice too", async () => {
    for (const one of wrong) {
      if (one === undefined) continue;
      if (typeof one === "object" && one !== null && Object.keys(one).length === 0) continue;
      expect(await raw(prefc.openDevice as Call, [one])).toBeNull();
    }
  });
});
