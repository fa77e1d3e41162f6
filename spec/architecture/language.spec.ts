// One folder knows the language of shaders: src/wgsl, with the prelude that is embedded in it. Nothing else of src spells a
// type, an attribute, a declaration or a function of WGSL, in code or in a string, so that another language is another folder.
import { describe, expect, it } from "vitest";
import { blank, sources, type Source } from "./source.ts";

/** What is written in WGSL and in nothing else that this project speaks. */
const syntax =
  /\bvec[234](?:<|[fuih]\b)|\bmat\dx\d|\barray<\w+(?:<\w+>)?,|\b(?:bitcast|atomic|ptr)<[a-z]|@(?:compute|group|binding|builtin|workgroup_size|id)\b|\bvar<|\b(?:workgroup|storage)Barrier\b|\bworkgroupUniformLoad\b|\batomic(?:Max|Min|And|Or|Xor|Add|Sub|Load|Store)\b|\bsubgroup(?:Max|Min|Add|Mul|Any|All|Broadcast)\b|\b(?:un)?pack\dx\d+\w*\(|\b(?:insert|extract)Bits\b|\bfn [a-z]\w*\(|\benable \w+;|\b(?:let|var) \$\{|[^\w.](?:0x[\da-f]+|\d+)u\b/g;

const spelled = ({ path, text }: Source): readonly string[] =>
  path.startsWith("wgsl/")
    ? []
    : [...blank(text).code.matchAll(syntax)].map(([found]) => `${path}: ${found}`);

describe("the language of shaders", () => {
  it.each([
    "const code = `vec2<f32>(${x}, 0.0)`;",
    'const code = "vec4<u32>(0u, 1u, 2u, 3u)";',
    "const type = `array<vec4<f32>, ${count}>`;",
    "const code = `bitcast<u32>(${x})`;",
    'const head = "@compute @workgroup_size(64)";',
    'const space = "var<uniform>";',
    'const lines = ["workgroupBarrier();"];',
    "const code = `atomicMax(&status[0], ${token})`;",
    'const code = "subgroupAdd(x)";',
    "const code = `unpack2x16float(${word}).x`;",
    "const code = `insertBits(${word}, ${bits}, 16, 16)`;",
    'const main = "fn main() {";',
    'const first = "enable subgroups;";',
    "const line = `let ${name} = ${value};`;",
    "const code = `(${x} % 4u)`;",
  ])("is found in %s", (text) => {
    expect(spelled({ path: "kernel/x.ts", text }).length).toBeGreaterThan(0);
  });

  it("is not found in what only looks like it", () => {
    const text = [
      "// a comment may say vec2<f32>, @compute and atomicMax",
      "const list: ReadonlyArray<readonly [number, number]> = new Array<number>(4);",
      'const says = "a group of four"; let v = { u: 4 }; const hex = 0xffffffff;',
      'k.atomic("max", target, value); k.barrier; k.subgroup("add", value);',
    ].join("\n");
    expect(spelled({ path: "kernel/x.ts", text })).toEqual([]);
  });

  it("is written in src/wgsl only", () => {
    const files = sources();
    expect(files.some(({ path }) => path.startsWith("wgsl/"))).toBe(true);
    expect(files.flatMap(spelled)).toEqual([]);
  });
});
