// What an emitted file is: short, its own, and clear about what it is given. Wrong inputs end in a sentence each; parts of a batch
// add up to the whole; and what cannot be emitted is named.
import { describe, expect, it } from "vitest";
import {
  builtIn,
  emitTorch,
  objective,
  sum,
  trlDpo,
  wpo,
  type Objective,
} from "../../src/index.ts";
import { trainerFits } from "../../src/seam/trainers.ts";
import { describeTorch } from "./python.ts";

const textOf = (own: Objective): string =>
  emitTorch(own, { from: "statistics", version: "0.1.0", hash: () => "sha256 0123456789abcdef" })
    .text;

describe("an emitted file", () => {
  it("of WPO from statistics has at most sixty lines", () => {
    expect(textOf(wpo()).trimEnd().split("\n").length).toBeLessThanOrEqual(60);
  });

  it("imports torch and what comes with Python", () => {
    const modules = [...textOf(wpo()).matchAll(/^(?:import|from) (.*?)(?: import .*)?$/gm)];
    const names = modules
      .flatMap(([, list]) => list!.split(", "))
      .map((name) => name.split(".")[0]);
    expect(new Set(names)).toEqual(new Set(["difflib", "functools", "inspect", "torch"]));
  });

  it("says formula, source, version and hash", () => {
    const [head = ""] = textOf(wpo()).split('"""\n');
    expect(head).toMatch(/prefc 0\.1\.0, expression sha256 0123456789abcdef/);
    expect(head).toMatch(
      /loss = mean over the batch of unweighted \* weights_chosen \* weights_rejected/,
    );
    expect(head).toMatch(/Zhou et al\. 2024/);
  });

  it("is refused with the statistic that a height does not hand out", () => {
    expect(() => emitTorch(wpo(), { from: "logps" })).toThrow(/log_sum_sq_probs of the policy/);
    expect(() => emitTorch(wpo(), { from: "statistics", statistics: ["log_probs"] })).toThrow(
      /needs log_sum_sq_probs of the policy \(log Σ_v π\(v\)²\)/,
    );
    expect(emitTorch(trlDpo(), { from: "statistics", statistics: ["log_probs"] }).dropped).toEqual([
      "entropy",
      "mean_token_accuracy",
    ]);
  });

  it("is refused with the expression that no function of rows can be", () => {
    const across = objective(
      "across",
      ["w"],
      ({ policy, y }) =>
        sum("token", sum("vocab", policy.logits(y.w).times(sum("token", policy.logp(y.w))))),
      { source: "nobody" },
    );
    expect(() => emitTorch(across, { from: "logits" })).toThrow(/emit: sum\[token\.y\]/);
  });

  it("is refused for sequences of a model that the objective does not have", () => {
    expect(() => emitTorch(wpo(), { from: "statistics", sequences: ["rf"] })).toThrow(
      /^emitTorch: sequences names the model "rf"; "wpo" has "policy" and "ref"\.$/,
    );
  });

  it("needs an entropy that LLaMA-Factory does not hand out, and verl and OpenRLHF do where an option asks", () => {
    const needs = {
      name: "entropy",
      formula: "",
      models: ["policy"],
      responses: ["w"],
      differentiated: true,
      needed: true,
    };
    const lacking = trainerFits([needs]).filter(({ lacks }) => lacks.length > 0);
    expect(lacking.map(({ trainer, lacks }) => [trainer, ...lacks])).toEqual([
      ["Tinker", "no entropy"],
      ["LLaMA-Factory", "no entropy"],
    ]);
  });

  it("says what couples examples", () => {
    expect(emitTorch(builtIn("aot"), { from: "logps" }).coupled).toHaveLength(2);
    expect(textOf(builtIn("aot"))).toMatch(/couples examples, so give it the whole batch/);
    expect(emitTorch(wpo(), { from: "statistics" }).coupled).toEqual([]);
  });
});

const inputs = `
import importlib
torch.manual_seed(3)
f = modules["own"].FUNCTION
given = dict(log_probs=-torch.rand(4, 5), log_sum_sq_probs=-torch.rand(4, 5), entropy=torch.rand(4, 5),
    is_top1=torch.ones(4, 5) > 0, ref_log_probs=-torch.rand(4, 5), mask=torch.ones(4, 5))
def said(**changed):
    try:
        modules["own"].verify(f(**{n: x for n, x in {**given, **changed}.items() if x is not None})[1])
    except Exception as error:
        return f"{type(error).__name__}: {error}"
`;
const wrong: readonly (readonly [string, string, RegExp])[] = [
  [
    "a shape",
    "mask=torch.ones(4, 3)",
    /^ValueError: mask has the shape \[4, 3\], not \['rows', 'tokens'\]/,
  ],
  [
    "rows that are no pairs",
    "**{n: x[:3] for n, x in given.items()}",
    /give rows chosen, then rejected/,
  ],
  ["no tensor", "mask=[1]", /^ValueError: mask has the shape \[\]/],
  [
    "a statistic that was left out",
    "log_sum_sq_probs=None",
    /^TypeError: log_sum_sq_probs is missing; give it/,
  ],
  [
    "an input that does not exist",
    "log_prob=1",
    /^TypeError: there is no log_prob; give log_probs/,
  ],
  ["a parameter that does not exist", "bata=1", /^TypeError: there is no bata; give beta/],
  [
    "a mask with an empty row",
    "mask=torch.tensor([[0], [1], [1], [1]]) * torch.ones(4, 5)",
    /^FloatingPointError: mask: a row is empty; drop it/,
  ],
  [
    "NaN",
    "log_probs=given['log_probs'] * float('nan')",
    /^FloatingPointError: loss: not finite; find the NaN/,
  ],
];

describeTorch("an emitted file in PyTorch", (python) => {
  it.each(wrong)("refuses %s in a sentence", async (_, changed, sentence) => {
    const emitted = emitTorch(wpo(), { from: "statistics" });
    await python().load("own", emitted.text);
    const text = `${inputs.replace("FUNCTION", emitted.name)}\nresult = said(${changed})`;
    expect(await python().script(text)).toMatch(sentence);
  });

  it("refuses ids outside the vocabulary", async () => {
    const emitted = emitTorch(wpo(), { from: "logits" });
    await python().load("ids", emitted.text);
    const text = `
m = modules["ids"]
z, ids = torch.randn(4, 5, 7), torch.randint(0, 7, (4, 5))
ids[2, 1] = 7
try:
    m.verify(m.wpo(z, z, ids, torch.ones(4, 5))[1])
except Exception as error:
    result = str(error)
ids[2, 1] = -100
mask = torch.ones(4, 5)
mask[2, 1] = 0
m.verify(m.wpo(z, z, ids, mask)[1])
`;
    expect(await python().script(text)).toMatch(/^ids: one on the mask is outside the vocabulary/);
  });

  it("refuses a torch that is too old", async () => {
    const { text } = emitTorch(wpo(), { from: "statistics" });
    const old = `
import types
known = torch.library
torch.library = types.SimpleNamespace()
try:
    exec(${JSON.stringify(text)}, {})
except ImportError as error:
    result = str(error)
finally:
    torch.library = known
`;
    expect(await python().script(old)).toMatch(/^wpo needs torch 2\.4 or newer, but this is 2\./);
  });

  it("gives the same with threads, which have tiles each, and leaves their number as it was", async () => {
    const emitted = emitTorch(wpo(), { from: "logits" });
    await python().load("threads", emitted.text);
    const text = `
m = modules["threads"]
torch.manual_seed(2)
z, ref, ids = torch.randn(4, 9, 40000), torch.randn(4, 9, 40000), torch.randint(0, 40000, (4, 9))
mask = torch.arange(9) < torch.tensor([[9], [4], [7], [1]])
made = []
for threads in (1, 3):
    torch.set_num_threads(threads)
    x = z.clone().requires_grad_()
    m.wpo(x, ref, ids, mask)[0].backward()
    made.append((x.grad, torch.get_num_threads()))
torch.set_num_threads(1)
zero = float(made[1][0][~mask].abs().max())
result = [float((made[0][0] - made[1][0]).abs().max()), float(made[0][0].abs().max()) > 0, made[1][1], zero]
`;
    expect(await python().script(text)).toEqual([0, true, 3, 0]);
  });

  it("refuses some totals without the others, and takes one that is 0", async () => {
    const emitted = emitTorch(builtIn("kto"), { from: "logps", metrics: false });
    await python().load("totals", emitted.text);
    const text = `
m = modules["totals"]
x = torch.tensor([-3., -2., -1., -2.], dtype=torch.float64)
given = dict(logps=x, ref_logps=x - torch.tensor([1., 2., 3., 5.]), desirable=torch.tensor([1., 0.]))
try:
    m.kto(**given, total_sums=1.)
except TypeError as error:
    said = str(error)
half = 4 * m.kto(**given, pairs=8, total_sums=0.)[0]
h = torch.tensor([1., 2.], dtype=torch.float64)
right = torch.sigmoid(-0.1 * h[0]) + torch.sigmoid(0.1 * h[1])
result = [said, float(abs(half - right / 2))]
`;
    const [said, off] = (await python().script(text)) as [string, number];
    expect(said).toBe("pairs, total_sums: give all of them, or none.");
    expect(off).toBeLessThan(1e-15);
  });

  const parts = ["dpo", "ipo", "sft", "wpo", "kto", "orpo"];
  it.each(parts)("adds %s up over parts of a batch of any sizes", async (name) => {
    const emitted = emitTorch(builtIn(name), { from: "statistics", metrics: false });
    const key = `parts ${name}`;
    await python().load(key, emitted.text);
    const { responses, totals } = emitted;
    const { tensors } = emitted.arguments;
    const text = `
torch.manual_seed(5)
f = modules[${JSON.stringify(key)}].${emitted.name}
B, R, T = 8, ${responses.length}, 6
shapes = {${tensors.map((one) => `"${one.name}": "${one.shape}"`).join(", ")}}
sizes = {"rows": B * R, "tokens": T, "examples": B}
given = {n: -torch.rand([sizes[a] for a in s.split(", ")], dtype=torch.float64) for n, s in shapes.items()}
lengths = torch.randint(1, T + 1, (B * R, 1))
if "mask" in given: given["mask"] = (torch.arange(T) < lengths) * 1
if "prompt_mask" in given: given["prompt_mask"] = (torch.arange(T) >= lengths) * 1
for n, s in shapes.items():
    if s == "examples": given[n] = torch.tensor([1., 0.] * 4, dtype=torch.float64)
x = given["log_probs"]
def rows(n, t, some):
    return t[some] if shapes[n] == "examples" else t.view(R, B, -1)[:, some].reshape(len(some) * R, -1)
def cut(x, some):
    return {n: rows(n, x if n == "log_probs" else t, some) for n, t in given.items()}
def gradient(groups, totals):
    own = x.clone().requires_grad_()
    loss = sum(f(**cut(own, torch.tensor(g)), **totals)[0] for g in groups)
    return torch.autograd.grad(loss, own)[0], float(loss)
every = [list(range(8))]
whole, value = gradient(every, {})
totals = {}
masked = given["mask"].double().view(R, B, T)
totals["pairs"] = totals["examples"] = B
totals["tokens"] = masked[0].sum()
totals["tokens_chosen"], totals["prompt_tokens_chosen"] = masked[0].sum(), given.get("prompt_mask", masked).double().view(R, B, T)[0].sum()
if "ref_log_probs" in given:
    h = ((x - given["ref_log_probs"]) * given["mask"]).sum(1).view(R, B)
    totals["total_sums"] = totals["total_difference"] = h[-1].sum()
totals = {n: totals[n] for n in ${JSON.stringify(totals.map((one) => one.name))}}
worst = 0.0
for groups in ([[0, 1, 2, 3], [4, 5, 6, 7]], [[i] for i in range(8)], [[0, 1, 2], [3], [4, 5, 6, 7]]):
    part, sum_of = gradient(groups, totals)
    worst = max(worst, float((part - whole).abs().max() / whole.abs().max()), abs(sum_of - value))
result = worst
`;
    expect(await python().script(text)).toBeLessThan(1e-12);
  });
});
