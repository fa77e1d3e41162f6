// Every kernel of every built-in objective goes through Triton's own compiler, to PTX of sm_90: the interpreter takes code that
// the compiler refuses. No GPU and no driver are needed for it. A row is read in wide loads where the vocabulary allows.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { PrefcError } from "../../src/core/error.ts";
import { builtIn, builtIns } from "../../src/objectives/index.ts";
import { emitTriton } from "../../src/triton/emit.ts";
import { formulas } from "../torch/formulas.ts";
import { describeTriton } from "./python.ts";

const emitted = [...Object.keys(builtIns).map((name) => builtIn(name)), ...formulas].flatMap(
  (own) => {
    try {
      return [emitTriton(own, { from: "logits", metrics: true })];
    } catch (error) {
      if (error instanceof PrefcError && error.code.startsWith("emit-")) return [];
      throw error;
    }
  },
);
/** The text of each kernel once; objectives share most of them. */
const kernelsIn = (text: string): readonly string[] =>
  text.match(/(?:^@jit\n(?:.+\n)+\n)+/gm) ?? [];
const files = new Map(emitted.map((one) => [kernelsIn(one.text).join(""), one]));
files.delete(""); // reads no logits
const cache = mkdtempSync(join(tmpdir(), "prefc-triton-"));
afterAll(() => rmSync(cache, { recursive: true }));

const compileAll = (key: string): string => `
import re, triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
def ptx(kernel, element):
    names, types = kernel.arg_names, {}
    for n in names:
        pointers = {"gradient": element, "ids": "i64", "mask": "u8"} | {own: element for own in names if own.endswith("logits")}
        pointers |= dict.fromkeys(["made", "kept", "slope"], "fp32")
        whole = "i64" if n.endswith(("_rows", "_tokens")) else "i32" if n in ("tokens", "vocab", "rows") else "fp32"
        types[n] = "constexpr" if n == "BLOCK" else f"*{pointers[n]}" if n in pointers else whole
    aligned = {(i,): [["tt.divisibility", 16]] for i, n in enumerate(names) if types[n][0] in "*i" and n != "tokens"}
    source = ASTSource(kernel, types, {(names.index("BLOCK"),): 4096}, aligned)
    return triton.compile(source, target=GPUTarget("cuda", 90, 32), options=dict(num_warps=8, enable_fp_fusion=True)).asm["ptx"]
result = []
for name, kernel in vars(modules[${JSON.stringify(key)}]).items():
    if name.endswith(("_forward", "_backward")) and hasattr(kernel, "arg_names"):
        for element in ("bf16", "fp32"):
            text = ptx(kernel, element)
            result.append([name, ".target sm_90" in text, "ld.global.v4" in text, "atom" in text or "red.global" in text])
`;

describeTriton(
  "an emitted kernel",
  (python) => {
    it.each([...files.values()].map((one) => [one.name, one] as const))(
      "of %s is compiled for a GPU that is not here",
      async (name, { text }) => {
        await python().load(name, text);
        const made = (await python().script(compileAll(name))) as [
          string,
          boolean,
          boolean,
          boolean,
        ][];
        expect(made.length).toBeGreaterThan(1);
        for (const [kernel, isCompiled, isWide, isAtomic] of made) {
          expect([kernel, isCompiled, isAtomic]).toEqual([kernel, true, false]);
          // what writes the same number everywhere reads nothing
          if (kernel.endsWith("_forward")) expect([kernel, isWide]).toEqual([kernel, true]);
        }
      },
    );
  },
  { TRITON_INTERPRET: "0", TRITON_CACHE_DIR: cache },
);
