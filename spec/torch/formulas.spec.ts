// Emitted files of formulas that nobody had in mind: equal to the interpreter in value and gradient, right by numerical
// differences, traced by torch.fx with functions of torch, math and operator alone, and compiled without a break in the graph.
import { describe, expect, it } from "vitest";
import { randomBatch } from "../../src/sample/batch.ts";
import { random } from "../../src/sample/random.ts";
import { compileProgram } from "../../src/pipeline/pipeline.ts";
import { runTorch } from "../../src/conform/torch.ts";
import { PrefcError } from "../../src/core/error.ts";
import { emitHeights, emitTorch, type Emitted, type EmitHeight } from "../../src/torch/emit.ts";
import type { Objective } from "../../src/index.ts";
import { expectedByInput } from "../fuzz/results.ts";
import { formulas } from "./formulas.ts";
import { describeTorch } from "./python.ts";

const emittedAt = (objective: Objective, from: EmitHeight): Emitted | null => {
  try {
    return emitTorch(objective, { from });
  } catch (error) {
    if (error instanceof PrefcError && error.code === "emit-statistic") return null;
    throw error;
  }
};
const cases = formulas.flatMap((objective) =>
  emitHeights.flatMap((from) => {
    const emitted = emittedAt(objective, from);
    return emitted === null
      ? []
      : [{ title: `${objective.name} from ${from}`, objective, from, emitted }];
  }),
);

/** What Python checks of a file on small random tensors: gradcheck, torch.fx and one compiled graph. */
const checks = (
  key: string,
  { name, responses, arguments: { tensors, params } }: Emitted,
): string => `
import math, operator
torch.manual_seed(7)
f = getattr(modules[${JSON.stringify(key)}], ${JSON.stringify(name)})
size = {"rows": ${2 * responses.length}, "tokens": 4, "vocab": 5, "examples": 2}
shapes = {${tensors.map(({ name: own, shape }) => `"${own}": "${shape}"`).join(", ")}}
given = {n: torch.rand([size[a] for a in s.split(", ")], dtype=torch.float64) * 0.8 + 0.1 for n, s in shapes.items()}
for n in given:
    if n in ("ids",): given[n] = torch.randint(0, 5, given[n].shape)
    if n == "mask": given[n] = (torch.rand(given[n].shape) > 0.3) | (torch.arange(4) == 1)
    if n == "prompt_mask": given[n] = ~(given["mask"] > 0)
    if n.endswith(("log_probs", "logps")): given[n] = -given[n] * 2
live = ${JSON.stringify(tensors.filter(({ source }) => (source.kind === "statistic" ? source.statistic.models.includes("policy") : "model" in source && source.model === "policy")).map((one) => one.name))}
numbers = {${params.map((one) => `"${one.name}": ${one.initial ?? 0.7}`).join(", ")}}
for n in live: given[n].requires_grad_()
loss = lambda *x: f(**{**given, **dict(zip(live, x))}, **numbers)[0]
right = torch.autograd.gradcheck(loss, [given[n] for n in live], atol=1e-6)
value = f(**given, **numbers)
graph = torch.compile(f, fullgraph=True, backend="aot_eager")(**given, **numbers)
same = abs(float(graph[0] - value[0])) <= 1e-12 * max(1, abs(float(value[0])))
foreign = []
if not any(s.endswith("vocab") for s in shapes.values()):
    traced = torch.fx.symbolic_trace(f)
    again = traced(**{**given, "mask": given["mask"] > 0} if "mask" in given else given, **numbers)
    same = same and float(again[0]) == float(value[0])
    foreign = sorted({str(n.target) for n in traced.graph.nodes if n.op not in ("placeholder", "output") and
        (n.op != "call_function" or n.target.__module__.split(".")[0] not in ("torch", "math", "_operator"))})
result = [bool(right), bool(same), foreign]
`;

describe("formulas", () => {
  it("are twenty or more, and most are emitted from statistics and from logits", () => {
    expect(formulas.length).toBeGreaterThanOrEqual(20);
    for (const from of ["logits", "statistics"] as const)
      expect(cases.filter((one) => one.from === from).length).toBe(formulas.length);
  });
});

describeTorch("formulas in PyTorch", (python) => {
  it.each(cases)("$title are what the interpreter says", async ({ objective, emitted, title }) => {
    const program = compileProgram(objective);
    const params = Object.fromEntries(
      program.params.map(({ name, initial }) => [name, initial ?? 0.7]),
    );
    await python().load(title, emitted.text);
    for (const seed of [1, 2, 3]) {
      const batch = randomBatch(
        { responses: program.responses, inputs: program.inputs, fewestExamples: 2 },
        { examples: 3, tokens: 5, vocab: [4, 9] },
        random(seed, 5),
      );
      const run = await runTorch(python(), emitted, title, program.loss, batch, params);
      const given = new Map<string, ArrayLike<number>>([
        ["loss", [run.loss]],
        ...Object.entries(run.state).map(([name, value]) => [`next ${name}`, [value]] as const),
        ...[...run.gradients].map(([input, { data }]) => [`gradient ${input.name}`, data] as const),
      ]);
      for (const [name, { values }] of expectedByInput(program, batch, params)) {
        if (name.startsWith("metric ")) continue;
        const got = given.get(name)!;
        const size = Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        const off = Array.from(values, (value, n) => Math.abs(value - got[n]!));
        expect(Math.max(...off), `${name}, seed ${seed}`).toBeLessThanOrEqual(
          1e-12 * Math.max(size, 1e-3),
        );
      }
    }
  });

  it.each(cases)("$title are differentiated, traced and compiled", async ({ title, emitted }) => {
    await python().load(title, emitted.text);
    expect(await python().script(checks(title, emitted))).toEqual([true, true, []]);
  });
});
