// Objectives from hidden states and heads: every built-in one through a head that changes nothing, gradients of hidden states, heads
// and biases beside autograd through whole logits, both plans, one graph, and a sentence for what does not fit.
import { expect, it } from "vitest";
import { acceptedGpuError, gradientError, lossError } from "../../src/check/error.ts";
import { runTorch } from "../../src/conform/torch.ts";
import { PrefcError } from "../../src/core/error.ts";
import { builtIn, builtIns } from "../../src/objectives/index.ts";
import { compileProgram } from "../../src/pipeline/pipeline.ts";
import { randomBatch } from "../../src/sample/batch.ts";
import { random } from "../../src/sample/random.ts";
import { emitTorch } from "../../src/torch/emit.ts";
import { emitTriton } from "../../src/triton/emit.ts";
import { expectedByInput } from "../fuzz/results.ts";
import { describeTriton } from "./python.ts";

const emitted = Object.keys(builtIns).flatMap((name) => {
  const own = builtIn(name);
  try {
    return [[name, own, emitTriton(own, { from: "hidden" })] as const];
  } catch (error) {
    if (error instanceof PrefcError && error.code.startsWith("emit-")) return [];
    throw error;
  }
});

/** The emitted function, and the same through whole logits with autograd, on hidden states of so many numbers. */
const setting = (name: string, logits: readonly string[]): string => `
torch.manual_seed(3)
m, whole = modules["hidden"], modules["logits"].${name}
m.BLOCK = 64
f = m.${name}
def data(hidden=7, vocab=127, dtype=torch.float64, bias=False, tied=False):
    h, r = [torch.randn(4, 5, hidden, dtype=dtype) for _ in range(2)]
    w, v = [torch.randn(vocab, hidden, dtype=dtype) for _ in range(2)]
    w[3] = 0
    ids, mask = torch.randint(0, vocab, (4, 5)), torch.rand(4, 5) > 0.4
    mask[:, 1] = True
    given = dict(hidden=h, weight=w, ref_hidden=r, ref_weight=w if tied else v, ids=ids, mask=mask)
    return {**given, "bias": torch.randn(vocab, dtype=dtype), "ref_bias": torch.randn(vocab, dtype=dtype)} if bias else given
def run(given, **how):
    own = {n: x.detach().clone().requires_grad_() for n, x in given.items() if n in ("hidden", "weight", "bias")}
    loss, metrics = f(**{**given, **own}, **how)
    loss.backward()
    return [loss.detach().double()] + [x.grad.double() for x in own.values()], metrics
def right(given, logit_scale=1.0, softcap=0.0):
    given = {n: x.double() if x.is_floating_point() else x for n, x in given.items()}
    own = {n: x.detach().clone().requires_grad_() for n, x in given.items() if n in ("hidden", "weight", "bias")}
    given = {**given, **own}
    def logits(before):
        z = given[before + "hidden"] @ given[before + "weight"].T + given.get(before + "bias", 0)
        z = z * logit_scale
        return softcap * torch.tanh(z / softcap) if softcap > 0 else z
    named = {${logits.map((one) => `"${one}": logits("${one.replace("logits", "")}")`).join(", ")}}
    loss, _ = whole(**named, ids=given["ids"], mask=given["mask"])
    loss.backward()
    return [loss.detach()] + [x.grad for x in own.values()]
def off(a, b):
    return max(float((x - y).abs().max() / y.abs().max().clamp(min=1e-30)) for x, y in zip(a, b))
`;
const pairs = ["dpo", "wpo", "tdpo2", "sppo_hard"] as const;

describeTriton("an objective from hidden states", (python) => {
  it.each(emitted)("%s is what the interpreter says", async (name, own, made) => {
    const program = compileProgram(own);
    const params = Object.fromEntries(program.params.map((one) => [one.name, one.initial ?? 0.7]));
    await python().load(name, made.text);
    await python().script(`modules[${JSON.stringify(name)}].BLOCK = 4`);
    const batch = randomBatch(
      { responses: program.responses, inputs: program.inputs, fewestExamples: 2 },
      { examples: 3, tokens: 5, vocab: [4, 9] },
      random(1, 5),
    );
    const wanted = expectedByInput(program, batch, params);
    for (const dtype of ["float64", "float32"] as const) {
      const { loss, gradients } = await runTorch(
        python(),
        made,
        name,
        program.loss,
        batch,
        params,
        { dtype },
      );
      const accepted = dtype === "float64" ? 1e-9 : acceptedGpuError();
      expect(lossError(loss, wanted.get("loss")!.values[0]!), dtype).toBeLessThan(accepted);
      for (const [input, { data }] of gradients) {
        const slope = wanted.get(`gradient ${input.name}`)?.values ?? new Float64Array(data.length);
        expect(gradientError(data, slope), `${dtype} ${input.name}`).toBeLessThan(accepted);
      }
    }
  });

  const script = async (name: string, text: string): Promise<unknown> => {
    const own = builtIn(name);
    await python().load("hidden", emitTriton(own, { from: "hidden" }).text);
    const through = emitTorch(own, { from: "logits" });
    await python().load("logits", through.text);
    const logits = through.arguments.tensors.filter(({ source }) => source.kind === "logits");
    return await python().script(
      setting(
        name,
        logits.map((one) => one.name),
      ) + text,
    );
  };

  it.each(pairs)(
    "differentiates hidden states, head and bias of %s, in both plans",
    async (name) => {
      const found = await script(
        name,
        `
result = []
for hidden, vocab in ((1, 5), (7, 127), (64, 130)):
    for bias in (False, True):
        g = data(hidden, vocab, bias=bias)
        expected = right(g)
        small = 3 * vocab * 8 * 3
        result += [off(run(g, **how)[0], expected) for how in (dict(plan="stored"), dict(plan="recomputed"), dict(budget=small), {})]
`,
      );
      for (const error of found as number[]) expect(error).toBeLessThan(1e-11);
    },
  );

  it.each(pairs)("agrees through its kernels in f32 for %s, in both plans", async (name) => {
    const found = await script(
      name,
      `
g = data(33, 130, torch.float32, bias=True)
expected = right(g)
result = [off(run(g, fused=True, **how)[0], expected) for how in (dict(plan="stored"), dict(plan="recomputed"), dict(budget=130 * 4 * 3 * 3), dict(budget=2**20))]
`,
    );
    for (const error of found as number[]) expect(error).toBeLessThan(2e-5);
  });

  it("scales and caps logits, and takes one head for both models", async () => {
    const found = await script(
      "wpo",
      `
g = data(9, 60, bias=True, tied=True)
how = [dict(logit_scale=0.25), dict(softcap=2.0), dict(logit_scale=1.5, softcap=4.0)]
result = [off(run(g, plan=plan, **own)[0], right(g, **own)) for own in how for plan in ("stored", "recomputed")]
`,
    );
    for (const error of found as number[]) expect(error).toBeLessThan(1e-11);
  });

  it("takes 16-bit hidden states, with gradients in their type", async () => {
    const found = await script(
      "wpo",
      `
g = data(16, 64, torch.bfloat16)
own = {n: g[n].clone().requires_grad_() for n in ("hidden", "weight")}
loss, _ = f(**{**g, **own})
loss.backward()
expected = right(g)
result = [str(own["hidden"].grad.dtype), str(own["weight"].grad.dtype), off([x.grad.double() for x in own.values()], expected[1:])]
`,
    );
    const [hidden, weight, error] = found as [string, string, number];
    expect([hidden, weight]).toEqual(["torch.bfloat16", "torch.bfloat16"]);
    // logits of a processor are rounded to 8 bits, and weights are exponentials of sums of them
    expect(error).toBeLessThan(0.05);
  });

  it("multiplies no row outside of completions, and leaves a frozen head alone", async () => {
    const found = await script(
      "wpo",
      `
g = data()
outside = ~g["mask"]
n = {**g, **{k: g[k].masked_fill(outside[:, :, None], float("nan")) for k in ("hidden", "ref_hidden")}}
got = run(n)
frozen = {**g, "hidden": g["hidden"].clone().requires_grad_()}
f(**frozen)[0].backward()
result = [off(got[0], right(g)), float(got[0][1][outside].abs().max()), off([frozen["hidden"].grad], right(g)[1:2]), g["weight"].grad is None]
`,
    );
    const [error, beside, frozen, isLeft] = found as [number, number, number, boolean];
    expect(error).toBeLessThan(1e-11);
    expect(beside).toBe(0);
    expect(frozen).toBeLessThan(1e-11);
    expect(isLeft).toBe(true);
  });

  it.each(["wpo", "tdpo2"])(
    "runs %s in one graph, and is an operator as torch wants it",
    async (name) => {
      const found = await script(
        name,
        `
g = data(8, 40, torch.float32)
first = run(g, plan="recomputed")[0]
own = {n: g[n].clone().requires_grad_() for n in ("hidden", "weight")}
loss, _ = torch.compile(f, fullgraph=True, backend="aot_eager")(**{**g, **own}, plan="recomputed")
loss.backward()
same = [bool((own[n].grad.double() == x).all()) for n, x in zip(own, first[1:])]
head = m.policy_head if hasattr(m, "policy_head") else m.both_head
count = 1 if hasattr(m, "policy_head") else 2
h, w, b = [own["hidden"], g["ref_hidden"]], [own["weight"], g["ref_weight"]], [torch.empty(0)] * 2
checked = torch.library.opcheck(head, (h[:count], w[:count], b[:count], g["ids"], g["mask"], [], 1.0, 0.0, 2**20, True, False, [True, False]))
result = [same, sorted(set(checked.values()))]
`,
      );
      expect(found).toEqual([[true, true], ["SUCCESS"]]);
    },
  );

  const wrong: readonly (readonly [string, string, RegExp])[] = [
    [
      "hidden states of another size than the head",
      "run({**g, 'hidden': g['hidden'][..., :4]})",
      /^ValueError: weight has the shape \[40, 8\], not \['vocab', 'hidden'\] with .*'hidden': 4/,
    ],
    [
      "heads of two vocabularies",
      "run({**g, 'ref_weight': g['ref_weight'][:30]})",
      /^ValueError: ref_weight has the shape \[30, 8\], not \['vocab', 'ref hidden'\] with .*'vocab': 40/,
    ],
    [
      "a budget too small for one row",
      "run(g, budget=639)",
      /^ValueError: budget: 639 bytes hold no row of 40 logits and its gradient, which takes 640; give at least that\.$/,
    ],
    [
      "a plan that is none",
      "run(g, plan='chunked')",
      /^ValueError: plan is 'chunked'; give 'stored', 'recomputed', or None for what the budget allows\.$/,
    ],
    [
      "a head of another type",
      "run({**g, 'weight': g['weight'].float()})",
      /^TypeError: the hidden states are torch\.float64 and their head is torch\.float32; give both in one type\.$/,
    ],
    [
      "labels beyond the head",
      "m.verify(run({**g, 'ids': g['ids'] + 40})[1])",
      /^FloatingPointError: ids: one on the mask is outside the vocabulary; look for a wrong tokenizer\.$/,
    ],
    [
      "no number among hidden states",
      "bad = g['hidden'].clone(); bad[2, 1, 5] = float('nan'); m.verify(run({**g, 'hidden': bad})[1])",
      /^FloatingPointError: loss: not finite; find_nan, with hidden states and heads by name, says where\.$/,
    ],
    [
      "where it lies",
      "bad = g['hidden'].clone(); bad[2, 1, 5] = float('nan'); m.find_nan(weight=g['weight'], hidden=bad)",
      /^FloatingPointError: hidden: nan at \[2, 1, 5\]\.$/,
    ],
  ];
  it.each(wrong)("says %s in a sentence", async (_, call, sentence) => {
    const found = await script(
      "wpo",
      `
g = data(8, 40)
try: ${call.replaceAll("; ", "\n    ").replace(/^/, "\n    ")}
except Exception as error: result = f"{type(error).__name__}: {error}"
`,
    );
    expect(found).toMatch(sentence);
  });
});
