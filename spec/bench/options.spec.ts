// The command line of the benchmark: what is read, and that every wrong word or number ends in one sentence that says
// which option is at fault.
import { describe, expect, it } from "vitest";
import { readCheckoutOptions as readOptions, usage } from "../../bench/options.ts";
import { builtIns } from "../../src/index.ts";

/** Every option with a value that differs from its default; true for those that take none. */
const everyOption: Readonly<Record<string, string | true>> = {
  objectives: "sft",
  rows: "2",
  vocab: "3",
  dtype: "bf16",
  data: "peaked",
  directions: "forward",
  clock: "wall",
  metrics: "off",
  padding: "0.5",
  repeats: "2",
  "warm-up": "1",
  "flush-mib": "0",
  adapter: "lavapipe",
  layout: "separate",
  lengths: "4",
  timeout: "5",
  json: "lines.jsonl",
  csv: "lines.csv",
  report: "report.md",
  roofline: "roofline.svg",
  peers: true,
  "cached-reference": true,
  "in-place": true,
  "only-peers": true,
  help: true,
};
const withValue = (name: string, value: string | true): readonly string[] =>
  value === true ? [`--${name}`] : [`--${name}`, value];

describe("the options of the benchmark", () => {
  it("reads lists, numbers, flags and files", () => {
    const options = readOptions(
      "--objectives dpo,ipo --rows 64,1 --vocab 50257 --dtype f32 --metrics off --padding 0.67 --cached-reference --repeats 3 --flush-mib 0 --clock wall --json lines.jsonl".split(
        " ",
      ),
    );
    expect(options).toMatchObject({
      objectives: ["dpo", "ipo"],
      rows: [64, 1],
      vocab: [50_257],
      dtype: ["f32"],
      withoutMetrics: true,
      padding: 0.67,
      cachedReference: true,
      inPlace: false,
      repeats: 3,
      flushBytes: 0,
      clocks: ["wall"],
      json: "lines.jsonl",
      report: undefined,
      peers: [],
    });
  });

  it("measures DPO and WPO at two vocabularies unless told otherwise, and every objective for all", () => {
    const { objectives, vocab, withoutMetrics } = readOptions([]);
    expect([objectives, vocab, withoutMetrics]).toEqual([["dpo", "wpo"], [32_000, 128_256], false]);
    expect(readOptions(["--objectives=all"]).objectives).toEqual(Object.keys(builtIns));
  });

  it("takes all peers, or some by their names", () => {
    expect(readOptions(["--peers"]).peers).toContain("jax-js-webgpu");
    expect(readOptions(["--peers=torch-cpu,jax-js-wasm"]).peers).toEqual([
      "torch-cpu",
      "jax-js-wasm",
    ]);
    expect(readOptions(["--only-peers"]).peers).toContain("torch-cpu");
    expect(readOptions(["--only-peers", "--peers=torch-cpu"])).toMatchObject({
      peers: ["torch-cpu"],
      onlyPeers: true,
    });
    expect(readOptions(["--data", "peaked,uniform"]).data).toEqual(["peaked", "uniform"]);
    expect(readOptions([]).data).toEqual(["uniform"]);
    expect(readOptions(["-h"]).help).toBe(true);
  });

  it.each([
    [["--objectives", "dop"], /no built-in objective "dop".*Did you mean "dpo"\?$/],
    [["--objectives", ","], /^--objectives: nothing is named/],
    [["--rows", "0"], /^--rows: "0" is not a whole number of at least 1\.$/],
    [["--rows", "1.5"], /^--rows: "1\.5"/],
    [["--rows", ""], /^--rows needs a value/],
    [["--vocab", "many"], /^--vocab: "many" is not a whole number/],
    [["--vocab", "1e400"], /^--vocab: "1e400"/],
    [["--dtype", "f64"], /^--dtype: "f64" is not known; choose from f32, f16, bf16\.$/],
    [["--metrics", "maybe"], /^--metrics: "maybe" is not known; choose from on, off\.$/],
    [["--data", "flat"], /^--data: "flat" is not known; choose from uniform, peaked\.$/],
    [["--peers=jax"], /^--peers: "jax" is not known; choose from jax-js-webgpu, /],
    [
      ["--peers", "--rows", "256,33"],
      /^--peers: 33 rows are not pairs of responses of equal length/,
    ],
    [["--peers", "--objectives", "sft"], /^--peers: peers have dpo and wpo; name one of them/],
    [["--peers="], /^--peers: nothing is named; choose from /],
    [["--peers", "jax-js-wasm"], /^"jax-js-wasm" is no option/],
    [["--clock", "sun"], /^--clock: "sun" is not known; choose from gpu, wall\.$/],
    [["--padding", "1"], /^--padding: "1" is not a share from 0 to below 1\.$/],
    [["--padding", "-0.1"], /^--padding: "-0\.1"/],
    [["--padding", "half"], /^--padding: "half"/],
    [["--repeats", "0"], /^--repeats: "0" is not a whole number of at least 1\.$/],
    [["--json", "--report"], /^--json needs a value/],
    [["--objectivse", "dpo"], /no option --objectivse.*Did you mean "objectives"\?$/],
    [["--cached-reference=yes"], /^--cached-reference takes no value, but was given "yes"\.$/],
    [["dpo"], /^"dpo" is no option/],
  ])("refuses %j in one sentence", (args, message) => {
    expect(() => readOptions(args)).toThrow(message);
  });

  it("names every option in its help, with what it is for, and no other", () => {
    const explained = [...usage().matchAll(/^ {2}--(\S+) +(\S.*)$/gm)].map(([, name, text]) => {
      expect(text!.length, name).toBeGreaterThan(5);
      return name!;
    });
    expect(explained.toSorted()).toEqual(Object.keys(everyOption).toSorted());
  });

  it.each(Object.entries(everyOption))("reads --%s", (name, value) => {
    const [initial, given] = [readOptions([]), readOptions(withValue(name, value))];
    expect(given).not.toEqual(initial);
  });
});
