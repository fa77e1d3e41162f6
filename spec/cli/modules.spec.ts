// Objectives from users' modules: those that load, from a folder that knows nothing of the package, and one
// sentence for each that does not.

import { afterAll, describe, expect, it } from "vitest";
import { complaints, folder, prefc } from "./prefc.ts";

const typed = `import { neg, logSigmoid, objective, param, type Objective } from "prefc";
import { gap } from "./gap.ts";
const mine: Objective = objective("mine", ["w", "l"], (g) => neg(logSigmoid(param("beta", 0.1).times(gap(g)))), { source: "a test" });
export default mine;
`;
const plain = `import { neg, logSigmoid, objective } from "prefc";
export const plain = objective("plain", ["w", "l"], ({ policy, y }) => neg(logSigmoid(policy.logps(y.w).minus(policy.logps(y.l)))), { source: "a test" });
`;
const files = folder({
  "typed.ts": typed,
  "gap.ts": `import type { Given } from "prefc";
export const gap = ({ policy, y }: Given<"w" | "l">) => policy.logps(y.w).minus(policy.logps(y.l));
`,
  "plain.js": plain,
  "plain.mjs": plain,
  "odd#name.mjs": plain,
  "two.ts":
    'import { dpo, sft } from "prefc";\nexport const first = dpo();\nexport const second = sft();\n',
  "none.ts":
    'import { dpo } from "prefc";\nexport const make = () => dpo();\nexport const beta: number = 1;\n',
  "empty.ts": "\n",
  "number.js": "export default 5;\n",
  "function.mjs":
    'import { dpo } from "prefc";\nexport default function make() { return dpo(); }\n',
  "syntax.ts": "const x: number = 1;\nexport default x +;\n",
  "throws.ts": 'export const x = 1;\n\nthrow new Error("on purpose");\n',
  "wrong.ts": `import { objective } from "prefc";
export default objective("wrong", ["w"], ({ policy, y }) => policy.logp(y.w) as never, { source: "a test" });
`,
  "needs.ts": 'import x from "a-package-that-nobody-has";\nexport default x;\n',
  "common.js": "module.exports = {};\n",
  "never.ts": "await new Promise(() => {});\nexport default 1;\n",
  "foreign.mjs": `const node = Object.freeze({ tag: "const", axes: [], args: [], id: 0, dtype: "f32", value: 1 });
export default { name: "foreign", responses: ["w"], loss: node, metrics: {}, source: "another copy" };
`,
  "data.json": "{}",
  "getter.mjs": 'export default { get name() { throw new Error("on purpose"); } };\n',
  "proxy.mjs":
    'export default new Proxy({}, { get() { throw new Error("get"); }, has() { throw new Error("has"); }, getPrototypeOf() { throw new Error("prototype"); } });\n',
  "promise.mjs": 'import { dpo } from "prefc";\nexport default Promise.resolve(dpo());\n',
  "array.mjs": "export default Array.from({ length: 1e6 }, () => ({}));\n",
  "names.mjs":
    'const value = 1;\nexport { value as "a\\nb", value as "__proto__", value as "*/ \\u202e" };\n',
  "null.mjs": "throw null;\n",
  "object.mjs": "throw Object.create(null);\n",
  "message.mjs":
    'const error = new Error("x");\nObject.defineProperty(error, "message", { get() { throw new Error("again"); } });\nthrow error;\n',
  "lines.mjs": 'throw new Error("one\\u202e\\ntwo" + "x".repeat(100000));\n',
  "exits.mjs": "process.exit(0);\n",
  "rejects.mjs":
    'Promise.reject(new Error("left behind"));\nawait new Promise((done) => setTimeout(done, 5000));\n',
  "waits.mjs": "await new Promise((done) => setTimeout(done, 1e9));\nexport default 1;\n",
  "loops.mjs": "for (;;);\n",
  "deep.mjs": `import { objective, sigmoid } from "prefc";
export default objective("deep", ["w"], ({ policy, y }) => {
  let x = policy.logps(y.w);
  for (let i = 0; i < 100000; i++) x = sigmoid(x);
  return x;
}, { source: "a test" });
`,
  "cyclic.mjs": "const all = {}; all.loss = all; all.name = all; export default all;\n",
  "garbage.ts": "\u0000\ud800 \u202e */ `${",
});
afterAll(() => files.remove());

describe("a user's module", () => {
  it.each([
    ["typed.ts", "mine"],
    ["plain.js", "plain"],
    ["plain.mjs", "plain"],
    ["plain.js#plain", "plain"],
    ["odd#name.mjs", "plain"],
    ["two.ts#second", "sft"],
  ])("is explained: %s", async (name, title) => {
    const { code, out, error } = await prefc(["explain", files.path(name)]);
    expect(error).toBe("");
    expect(out.split("\n")[0]).toBe(title);
    expect(code).toBe(0);
  });
  it("is checked", async () => {
    const { code, out } = await prefc([
      "check",
      files.path("typed.ts"),
      "--engine",
      "reference",
      "--batches",
      "3",
      "--param",
      "beta=0.7",
    ]);
    expect(out.trimEnd().split("\n").at(-1)).toBe("3 passed, 0 failed");
    expect(code).toBe(0);
  });
});

describe("a module that cannot be used ends in one sentence", () => {
  it.each([
    ["gone.ts", /^There is no file ".*gone\.ts"; correct the path\.$/],
    [
      "data.json",
      /data\.json" is no ES module; give a file that ends in \.ts, \.mts, \.js, \.mjs\.$/,
    ],
    ["", /" is a folder; give a file that ends in/],
    [
      "two.ts",
      /two\.ts exports several objectives \("first" and "second"\) and no default; choose one as .*two\.ts#first\.$/,
    ],
    [
      "two.ts#secnd",
      /two\.ts has no export "secnd"; it exports "first" and "second"\. Did you mean "second"\?$/,
    ],
    [
      "none.ts",
      /none\.ts exports "beta" and "make", but no objective \("make" is a function: export what a call returns\); write export default objective/,
    ],
    [
      "none.ts#beta",
      /none\.ts: the export "beta" is no objective; export what objective\(…\) returns\.$/,
    ],
    ["empty.ts", /empty\.ts exports nothing; write export default objective\(…\)\.$/],
    [
      "number.js",
      /number\.js: the default export is no objective; export what objective\(…\) returns\.$/,
    ],
    [
      "function.mjs",
      /function\.mjs: the default export is a function; export what a call returns\.$/,
    ],
    ["syntax.ts", /syntax\.ts does not parse; correct line 2, column \d+: Unexpected ";"\.$/],
    ["throws.ts", /throws\.ts could not be loaded; correct line 3: on purpose\.$/],
    [
      "wrong.ts",
      /wrong\.ts could not be loaded; correct line 2: objective "wrong": the loss still ranges over the tokens of "w"; reduce it first/,
    ],
    [
      "needs.ts",
      /needs\.ts could not be loaded; correct it: Cannot find package 'a-package-that-nobody-has'/,
    ],
    [
      "common.js",
      /common\.js could not be loaded; correct line 1: module is not defined in ES module scope\.$/,
    ],
    ["getter.mjs", /getter\.mjs: the default export is no objective;/],
    // a loader may look at what is exported before we do
    [
      "proxy.mjs",
      /proxy\.mjs(?:: the default export is no objective;| could not be loaded; correct line 1: has\.$)/,
    ],
    [
      "promise.mjs",
      /promise\.mjs: the default export is a promise; await it before it is exported\.$/,
    ],
    ["array.mjs", /array\.mjs: the default export is no objective;/],
    ["names.mjs", /names\.mjs exports ".*"a\\nb".*, but no objective; write export default/],
    ["null.mjs", /null\.mjs could not be loaded; correct it: it threw null\.$/],
    ["object.mjs", /object\.mjs could not be loaded; correct it: it threw an object\.$/],
    [
      "message.mjs",
      /message\.mjs could not be loaded; .*: it threw something that cannot be shown/,
    ],
    ["lines.mjs", /lines\.mjs could not be loaded; correct line 1: one\\u202e\.$/],
    ["exits.mjs", /exits\.mjs ended the process before the command was done; remove the call/],
    ["rejects.mjs", /rejects\.mjs could not be loaded; correct line 1: left behind\.$/],
    [
      "waits.mjs",
      /waits\.mjs was not loaded after 3 seconds; look for an await that waits for too long/,
    ],
    ["deep.mjs", /objective "deep" has 10000\d different subexpressions as it is written/],
    ["cyclic.mjs", /cyclic\.mjs: the default export is no objective;/],
    ["garbage.ts", /garbage\.ts (?:does not parse|could not be loaded); correct /],
    ["never.ts", /the command waits for something that can never happen/],
    [
      "foreign.mjs",
      /foreign\.mjs: the default export was made by another copy of prefc than the one that runs; write import \{ … \} from "prefc"/,
    ],
  ])("%s", async (name, sentence) => {
    const finished = await prefc(["explain", files.path(name)], {
      env: name === "waits.mjs" ? { PREFC_LOAD_SECONDS: "3" } : {},
    });
    const [first, ...more] = complaints(finished);
    expect(first?.slice("prefc: ".length)).toMatch(sentence);
    expect(more).toEqual([]);
    expect(finished.out).toBe("");
    expect(finished.code).toBe(1);
  });
  it("loops.mjs, which leaves no turn for anything else", async () => {
    const finished = await prefc(["explain", files.path("loops.mjs")], {
      env: { PREFC_LOAD_SECONDS: "2" },
    });
    expect(complaints(finished)).toHaveLength(1);
    expect(complaints(finished)[0]).toMatch(
      /loops\.mjs was not loaded after 2 seconds; look for a loop that never ends/,
    );
    expect(finished.code).not.toBe(0);
  });
  it("options of built-in objectives are refused for it", async () => {
    const finished = await prefc(["explain", files.path("typed.ts"), "--option", "beta=1"]);
    expect(complaints(finished)[0]).toMatch(
      /--option is for built-in objectives, but ".*typed\.ts" is a module; set its options in its code/,
    );
    expect(finished.code).toBe(1);
  });
});
