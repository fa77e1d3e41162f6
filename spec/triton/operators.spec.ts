// Every operator as Triton computes it, on blocks of single floats and on numbers in double ones, against its float64 meaning over the
// values that its row samples and at the ends of its domain.
import { expect, it } from "vitest";
import { binary, param, unary } from "../../src/core/build.ts";
import type { Node } from "../../src/core/node.ts";
import { binaryNames, binaryOps, unaryNames, unaryOps } from "../../src/core/ops.ts";
import { namer } from "../../src/torch/names.ts";
import { atom } from "../../src/torch/piece.ts";
import { write } from "../../src/triton/expression.ts";
import { deviceLines, type DeviceFunction } from "../../src/triton/helpers.ts";
import { describeTriton } from "./python.ts";

const [x, y] = [param("x"), param("y")];
const spread = ([from, to]: readonly [number, number]): readonly number[] =>
  Array.from({ length: 60 }, (_, n) => from + ((to - from) * n) / 59);

interface Probe {
  readonly op: string;
  readonly node: Node;
  readonly points: readonly (readonly [number, number])[];
  readonly right: (a: number, b: number) => number;
}
/** A factor that may be infinite is asked for, and leaves are finite; a limit of an exponent is no NaN. */
const isMeant = (op: string, a: number, b: number): boolean =>
  op === "times" ? !Number.isNaN(a * b) : op !== "clampedExp" || !Number.isNaN(b);
const ends = [-Infinity, -1e4, -1, -1e-6, 0, 1e-6, 1, 1e4, Infinity, NaN];
const probes: readonly Probe[] = [
  ...unaryNames
    .filter((op) => unaryOps[op].from.includes("f32"))
    .map((op): Probe => {
      const { sample, reference } = unaryOps[op];
      const points = [...spread(sample), ...ends].map((a) => [Math.fround(a), 0] as const);
      return { op, node: unary(op, x), points, right: reference };
    }),
  ...binaryNames
    .filter((op) => binaryOps[op].from.includes("f32"))
    .map((op): Probe => {
      const { sample, reference, domain } = binaryOps[op];
      const [first, second] = sample.map(spread) as [readonly number[], readonly number[]];
      const drawn = first.map((a, n) => [a, second[(n * 7) % 60]!] as const);
      const extremes = domain.every((own) => Object.keys(own).length === 0)
        ? ends
            .flatMap((a) => ends.map((b) => [a, b] as const))
            .filter(([a, b]) => isMeant(op, a, b))
        : [];
      const points = [...drawn, ...extremes].map(
        ([a, b]) => [Math.fround(a), Math.fround(b)] as const,
      );
      return { op, node: binary(op, x, y), points, right: reference };
    }),
  {
    op: "times of a logarithm",
    node: binary("times", x, unary("log", y)),
    points: [
      [0, 0],
      [0, 2],
      [3, 0],
      [-3, 0],
      [2, 4],
    ],
    right: (a, b) => (a === 0 ? 0 : a * Math.log(b)),
  },
];

function kernelOf({ op, node }: Probe, type: "float32" | "float64"): string {
  const used = new Set<DeviceFunction>();
  const lines: string[] = [];
  const known = new Map([
    [x, atom("x", "real")],
    [y, atom("y", "real")],
  ] as const);
  const scope = {
    lines,
    names: namer(),
    known: new Map<Node, ReturnType<typeof atom>>(known),
    brings: (name: DeviceFunction) => (used.add(name), name),
  };
  const [piece] = write(scope, [node]);
  return [
    "import triton, triton.language as tl",
    "jit = triton.jit",
    ...deviceLines(used),
    "@jit",
    `def probe(a, b, out, n, BLOCK: tl.constexpr):  # ${op}`,
    "    at = tl.arange(0, BLOCK)",
    "    x = tl.load(a + at, at < n, other=1.0)",
    "    y = tl.load(b + at, at < n, other=1.0)",
    ...lines.map((line) => `    ${line}`),
    `    tl.store(out + at, ${piece!.text}, at < n)`,
    "",
    "def run(a, b):",
    `    a, b = torch.tensor(a, dtype=torch.${type}), torch.tensor(b, dtype=torch.${type})`,
    "    out = torch.empty_like(a)",
    "    probe[(1,)](a, b, out, len(a), BLOCK=256)",
    "    return [repr(x) for x in out.double().tolist()]",
  ].join("\n");
}
const python = (value: number): string =>
  Number.isNaN(value)
    ? 'float("nan")'
    : Number.isFinite(value)
      ? String(value)
      : `float("${value < 0 ? "-" : ""}inf")`;
const numbers: Readonly<Record<string, number>> = { nan: NaN, inf: Infinity, "-inf": -Infinity };

describeTriton("an operator in Triton", (worker) => {
  it.each(
    probes.flatMap((probe) =>
      (["float32", "float64"] as const).map((type) => [probe.op, type, probe] as const),
    ),
  )("%s in %s means what its row says", async (op, type, probe) => {
    const { points, right } = probe;
    await worker().load(`${op} ${type}`, `import torch\n${kernelOf(probe, type)}`);
    const lists = [0, 1].map((n) => `[${points.map((point) => python(point[n]!)).join(", ")}]`);
    const made = (await worker().script(
      `result = modules["${op} ${type}"].run(${lists.join(", ")})`,
    )) as string[];
    points.forEach(([a, b], n) => {
      const got = numbers[made[n]!] ?? Number(made[n]!);
      const expected = right(a, b);
      const tolerance = type === "float64" ? 1e-9 : 3e-6;
      // exponents beyond the range of a single float
      if (type === "float32" && Number.isFinite(expected) && Math.abs(expected) > 3e38) return;
      const off =
        Math.abs(got - expected) <=
        tolerance * Math.max(Math.abs(expected), 1e-30) + (type === "float64" ? 1e-15 : 1e-7);
      expect(
        Object.is(got + 0, expected + 0) || off,
        `${op}(${a}, ${b}) is ${got}, not ${expected}`,
      ).toBe(true);
    });
  });
});
