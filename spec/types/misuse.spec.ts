// What the types of the surface language allow and forbid, as the compiler itself says it: the fixtures are
// compiled once, and the first line of each message is pinned, because a message is part of the language.

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const fixtures = "spec/types/fixtures";

/** Runs the compiler over the fixtures; it exits with an error, which is the point. */
const compile = (): Promise<string> =>
  new Promise((resolve, reject) => {
    const compiler = `${root}node_modules/typescript/bin/tsc`;
    const args = [compiler, "-p", fixtures, "--noEmit", "--pretty", "false"];
    execFile(process.execPath, args, { cwd: root }, (error, stdout, stderr) => {
      if (error !== null && stdout === "") reject(new Error(stderr, { cause: error }));
      else resolve(stdout);
    });
  });

interface Message {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

const messagesOf = (output: string): readonly Message[] =>
  [...output.matchAll(/^(\S+)\((\d+),\d+\): error TS\d+: (.*)$/gm)].map(([, file, line, text]) => ({
    file: file!.replace(/^.*\//, ""),
    line: Number(line),
    text: text!,
  }));

/** The name of each misuse and the line it starts on. */
const misusesOf = (text: string): readonly { name: string; line: number }[] =>
  text.split("\n").flatMap((content, index) => {
    const name = /^\/\* (.*?) \*\//.exec(content)?.[1];
    return name === undefined ? [] : [{ name, line: index + 1 }];
  });

const perToken = 'Expr<{ batch: "batch"; token: "w"; }, "f32">';
const otherTokens = (parameter: string): string =>
  `Argument of type 'Expr<PerToken<"l">, "f32">' is not assignable to parameter of type 'Real<${parameter}>'.`;
const otherAxis = (given: string, axes: string): string =>
  `Argument of type '"${given}"' is not assignable to parameter of type '${axes}'.`;

const expected: Readonly<Record<string, string>> = {
  "tokens of two responses": otherTokens('{ batch: "batch"; token: "w"; }'),
  "tokens of two responses, by a function": otherTokens('{ batch: "batch"; token: "w"; }'),
  "tokens of two responses, by where": otherTokens('{ batch: "batch"; token: "w"; }'),
  "an implicit outer product": otherTokens('PerVocab<"w">'),
  "a bound over other tokens": `Type 'Expr<PerToken<"l">, "f32">' is not assignable to type 'Real<{ batch: "batch"; token: "w"; }>'.`,
  "no such axis": otherAxis("vocab", '"batch" | "token"'),
  "no axis at all": otherAxis("token", "never"),
  "an axis by a wrong name": otherAxis("tokens", '"batch" | "token"'),
  "the axis after the expression": `Argument of type '${perToken}' is not assignable to parameter of type 'keyof Axes'.`,
  "reduced twice": otherAxis("token", '"batch"'),
  "softmax over a missing axis": otherAxis("vocab", '"batch" | "token"'),
  "ids of another response": `Argument of type 'Expr<PerToken<"l">, "i32">' is not assignable to parameter of type 'Expr<{ batch: "batch"; token: "w"; }, "i32">'.`,
  "a real index": `Argument of type '${perToken}' is not assignable to parameter of type 'Expr<{ batch: "batch"; token: "w"; }, "i32">'.`,
  "an index over the vocabulary": `Argument of type 'Expr<{ vocab: "vocab"; }, "i32">' is not assignable to parameter of type 'Expr<{ batch: "batch"; token: "w"; }, "i32">'.`,
  "ids are not reals": `Argument of type 'Expr<PerToken<"w">, "i32">' is not assignable to parameter of type 'Real<PerToken<"w">>'.`,
  "ids compared with reals": `Argument of type '${perToken}' is not assignable to parameter of type 'number | Expr<{ batch: "batch"; token: "w"; }, "i32">'.`,
  "a function of ids": `Argument of type 'Expr<PerToken<"w">, "i32">' is not assignable to parameter of type 'Real<PerToken<"w">>'.`,
  "a function of a condition": `Argument of type 'Expr<{ batch: "batch"; token: "w"; }, "bool">' is not assignable to parameter of type 'Real<{ batch: "batch"; token: "w"; }>'.`,
  "a condition that is a real": `Argument of type '${perToken}' is not assignable to parameter of type 'Expr<{ batch: "batch"; token: "w"; }, "bool">'.`,
  "and of reals": `The 'this' context of type '${perToken}' is not assignable to method's 'this' of type 'Expr<{ batch: "batch"; token: "w"; }, "bool">'.`,
  "not of reals": `The 'this' context of type '${perToken}' is not assignable to method's 'this' of type 'Expr<{ batch: "batch"; token: "w"; }, "bool">'.`,
  "a real that is one already": `Argument of type '${perToken}' is not assignable to parameter of type 'Expr<{ batch: "batch"; token: "w"; }, "bool" | "i32">'.`,
  "a string for a number": `Argument of type 'string' is not assignable to parameter of type 'Real<{ batch: "batch"; token: "w"; }>'.`,
  "JavaScript's own operator": `The left-hand side of an arithmetic operation must be of type 'any', 'number', 'bigint' or an enum type.`,
  "count without a response": otherAxis("token", '"batch" | "vocab"'),
  "count of an expression": "No overload matches this call.",

  "no such response": `Property 'kl' does not exist on type '{ readonly l: Response<"l">; readonly w: Response<"w">; }'.`,
  "the token sum forgotten": `Type '${perToken}' is not assignable to type 'Expr<PerExample, "f32"> | LossAndMetrics'.`,
  "the vocabulary sum forgotten": `Type 'Expr<PerVocab<"w">, "f32">' is not assignable to type 'Expr<PerExample, "f32"> | LossAndMetrics'.`,
  "a loss that is a condition": `Type 'Expr<PerExample, "bool">' is not assignable to type 'Expr<PerExample, "f32"> | LossAndMetrics'.`,
  "no loss at all": `Argument of type '() => void' is not assignable to parameter of type 'Build<"l" | "w", never>'.`,
  "a metric per token": `Type '${perToken}' is not assignable to type 'Expr<PerExample, "f32">'.`,
  "a next state per example": `Type 'Expr<PerExample, "f32">' is not assignable to type 'Expr<{}, "f32">'.`,
  "tokens of a prompt and of its completion": `Argument of type 'Expr<PerToken<"w.prompt">, "f32">' is not assignable to parameter of type 'Real<{ batch: "batch"; token: "w"; }>'.`,
  "a sort of tokens": `Argument of type '${perToken}' is not assignable to parameter of type 'Expr<PerExample, "f32">'.`,
  "a sort along the tokens": otherAxis("token", '"batch"'),
  "a state without a beginning": `Expected 2 arguments, but got 1.`,
  "no source": `Property 'source' is missing in type '{}' but required in type 'About<"w", never>'.`,
  "a default that is a string": `Argument of type 'string' is not assignable to parameter of type 'number'.`,
  "per-token where per-example is due": `Type '${perToken}' is not assignable to type 'Expr<PerExample, "f32">'.`,
  "a wrong option": `Object literal may only specify known properties, but 'bta' does not exist in type 'DpoOptions'. Did you mean to write 'beta'?`,
  "a wrong alignment": `Type '"gredy"' is not assignable to type '"greedy" | "none" | "sampled" | undefined'. Did you mean '"greedy"'?`,
  "a weighting of other responses": `Argument of type 'ObjectiveOf<"kl" | "w">' is not assignable to parameter of type 'PairwiseObjective'.`,
};

let messages: readonly Message[] = [];
let misuses: readonly { name: string; line: number }[] = [];

beforeAll(async () => {
  const forbidden = await readFile(new URL("fixtures/forbidden.ts", import.meta.url), "utf8");
  misuses = misusesOf(forbidden);
  messages = messagesOf(await compile());
});

describe("what compiles", () => {
  it("is everything in allowed.ts, with exactly the types that it states", () => {
    expect(messages.filter(({ file }) => file !== "forbidden.ts")).toEqual([]);
  });
});

describe("what does not compile", () => {
  it("is each misuse once, in the order of the file", () => {
    expect(misuses.map(({ name }) => name)).toEqual(Object.keys(expected));
    expect(messages.filter(({ file }) => file === "forbidden.ts")).toHaveLength(misuses.length);
  });

  for (const [name, message] of Object.entries(expected)) {
    it(name, () => {
      const position = misuses.findIndex((misuse) => misuse.name === name);
      const start = misuses[position]?.line ?? 0;
      const end = misuses[position + 1]?.line ?? Infinity;
      const own = messages.filter(
        ({ file, line }) => file === "forbidden.ts" && line >= start && line < end,
      );
      expect(own.map(({ text }) => text)).toEqual([message]);
    });
  }
});
