// What logits an emitted function takes, on its kernels: any vocabulary, slices that are not copied, rows outside of completions,
// masked entries, 16 bits; and what it does with them: the same bits every time, gradients in place, one graph, checkpoints.
import { expect, it } from "vitest";
import { builtIn, emitTorch, exp, mean, objective, sum, type Objective } from "../../src/index.ts";
import { emitTriton } from "../../src/triton/emit.ts";
import { describeTriton, isInterpreted } from "./python.ts";

/** Statistics of both models together, and of each alone. */
const both = objective(
  "divergence",
  ["w", "l"],
  ({ policy, ref, y }) => {
    const of = (own: typeof y.w | typeof y.l) => {
      const [p, r] = [policy.logits(own as typeof y.w), ref.logits(own as typeof y.w)];
      return mean("token", sum("vocab", exp(p.minus(r).times(0.25)))).times(1e-3);
    };
    return of(y.w).minus(policy.logps(y.w).times(0.1)).minus(policy.logps(y.l).times(0.2));
  },
  { source: "nobody" },
);
const cases: readonly Objective[] = [builtIn("wpo"), builtIn("tdpo2"), both];

const setting = `
torch.manual_seed(1)
m, f = modules["own"], modules["own"].FUNCTION
m.BLOCK = 64
def data(vocab, dtype=torch.float32, rows=4, tokens=5):
    z, r = [(3 * torch.randn(rows, tokens, vocab)).to(dtype) for _ in range(2)]
    ids, mask = torch.randint(0, vocab, (rows, tokens)), torch.rand(rows, tokens) > 0.4
    mask[:, 1] = True
    return dict(logits=z, ref_logits=r, ids=ids, mask=mask)
def run(given, view=lambda x: x, **how):
    z = given["logits"].detach().clone().requires_grad_()
    loss, metrics = f(**{**given, "logits": view(z)}, **how)
    loss.backward()
    return loss.detach().double(), z.grad.double(), metrics
def right(given, **how):
    return run({n: x.double() if x.is_floating_point() else x for n, x in given.items()}, **how)
def off(a, b):
    return max(float((a[0] - b[0]).abs() / b[0].abs()), float((a[1] - b[1]).abs().max() / b[1].abs().max().clamp(min=1e-30)))
`;

describeTriton("an emitted function on its kernels", (python) => {
  const script = async (own: Objective, text: string): Promise<unknown> => {
    const emitted = emitTriton(own, { from: "logits" });
    await python().load("own", emitted.text);
    return python().script(setting.replace("FUNCTION", emitted.name) + text);
  };

  it.each(cases.map((own) => [own.name, own] as const))(
    "takes any vocabulary for %s",
    async (_, own) => {
      const found = await script(
        own,
        `result = [off(run(g, fused=True), right(g)) for g in map(data, (1, 7, 64, 127, 1000))]`,
      );
      for (const error of found as number[]) expect(error).toBeLessThan(1e-5);
    },
  );

  it.each(cases.map((own) => [own.name, own] as const))(
    "reads slices of %s where they lie",
    async (_, own) => {
      const found = await script(
        own,
        `
g, copies = data(127), []
whole = dict(g, ref_logits=torch.randn(4, 12, 127)[:, 1:11:2])
view = lambda z: torch.cat([z[:, :1], z, z], 1)[:, 1:6].transpose(0, 1).contiguous().transpose(0, 1)
known = torch.Tensor.contiguous
def counted(x, *rest, **more):
    if x.dim() == 3 and x.shape[2] == 127 and not x.is_contiguous(): copies.append(x.shape)
    return known(x, *rest, **more)
expected = right(whole)
z = g["logits"].clone().requires_grad_()
sliced = view(z)
strides = [list(sliced.stride()), list(whole["ref_logits"].stride())]
torch.Tensor.contiguous = counted
loss, _ = f(**{**whole, "logits": sliced}, fused=True)
loss.backward()
torch.Tensor.contiguous = known
result = [off((loss.detach().double(), z.grad.double()), expected), len(copies), strides]
`,
      );
      const [error, copies, strides] = found as [number, number, number[][]];
      expect(strides).toEqual([
        [127, 4 * 127, 1],
        [12 * 127, 2 * 127, 1],
      ]);
      expect(error).toBeLessThan(1e-5);
      expect(copies).toBe(0);
    },
  );

  it.each(cases.map((own) => [own.name, own] as const))(
    "does not read rows outside of completions of %s, and gives them the gradient 0",
    async (_, own) => {
      const found = await script(
        own,
        `
g = data(127)
outside = ~g["mask"]
n = {**g, **{k: g[k].masked_fill(outside[:, :, None], float("nan")) for k in ("logits", "ref_logits")}}
n["ids"] = g["ids"].masked_fill(outside, -100)
got = run(n, fused=True)
m.verify(got[2])
result = [off(got, right(g)), float(got[1][outside].abs().max())]
`,
      );
      expect((found as number[])[0]).toBeLessThan(1e-5);
      expect((found as number[])[1]).toBe(0);
    },
  );

  it("takes masked entries, and says a masked label", async () => {
    const found = await script(
      builtIn("wpo"),
      `
g = data(127)
far = torch.arange(127)[None, None] % 7 == 3
g["ids"] = g["ids"] // 7 * 7
for n in ("logits", "ref_logits"): g[n] = g[n].masked_fill(far, float("-inf"))
got, expected = run(g, fused=True), right(g, fused=False)
def said(**changed):
    try: m.verify(run({**g, **changed}, fused=True)[2])
    except FloatingPointError as error: return str(error)
bad = g["logits"].clone(); bad[2, 1, 5] = float("nan")
up = g["logits"].clone(); up[2, 1, 5] = float("inf")
ids = g["ids"].clone(); ids[2, 1] = 3
entropy = abs(float(got[2]["entropy"]) - float(expected[2]["entropy"]))
result = [off(got, expected), entropy, said(), said(ids=ids), said(logits=bad), said(logits=up)]
`,
    );
    const [error, entropy, ...said] = found as [number, number, ...(string | null)[]];
    expect(error).toBeLessThan(1e-5);
    expect(entropy).toBeLessThan(1e-5);
    const sentence = "loss: not finite; find the NaN.";
    expect(said).toEqual([null, sentence, sentence, sentence]);
  });

  it.each(["bfloat16", "float16"])("takes %s and gives its gradient in it", async (dtype) => {
    // Triton's interpreter cuts bfloat16 off where a GPU rounds it, so an entry may be one step of the type away
    const found = await script(
      builtIn("wpo"),
      `
g = data(127, torch.${dtype})
z = g["logits"].clone().requires_grad_()
loss, _ = f(**{**g, "logits": z}, fused=True)
expected = right(g)
scale = float(expected[1].abs().max()) ** -1  # what is below the least number of the type is another matter
(scale * loss).backward()
expected = expected[0], scale * expected[1]
step = torch.finfo(torch.${dtype}).eps
entries = ((z.grad.double() - expected[1]).abs() - step * expected[1].abs()).max()
result = [str(z.grad.dtype), float((loss.double() - expected[0]).abs() / expected[0]), float(entries / expected[1].abs().max()), str(loss.dtype)]
`,
    );
    const [own, loss, gradient, kind] = found as [string, number, number, string];
    expect([own, kind]).toEqual([`torch.${dtype}`, "torch.float32"]);
    expect(loss).toBeLessThan(1e-5);
    expect(gradient).toBeLessThan(1e-5);
  });

  it.each(cases.map((own) => [own.name, own] as const))(
    "puts the gradient of %s in the place of the logits, with the same bits every time",
    async (_, own) => {
      const found = await script(
        own,
        `
g = data(127)
first, again = run(g, fused=True), run(g, fused=True)
hidden = g["logits"].clone().requires_grad_()
logits = hidden * 1
place = logits.data_ptr()
seen = []
logits.register_hook(lambda d: seen.append(d.data_ptr()))
loss, _ = f(**{**g, "logits": logits}, fused=True, in_place=True)
loss.backward()
result = [bool((first[1] == again[1]).all() and first[0] == again[0]), bool((hidden.grad == first[1]).all()), seen == [place]]
`,
      );
      expect(found).toEqual([true, true, true]);
    },
  );

  it.each(cases.map((own) => [own.name, own] as const))(
    "runs %s in one graph and under checkpoints",
    async (_, own) => {
      const found = await script(
        own,
        `
import functools
from torch.utils.checkpoint import checkpoint
g = data(127)
first = run(g, fused=True)
graph = torch.compile(f, fullgraph=True, backend="aot_eager")
z = g["logits"].clone().requires_grad_()
loss = graph(**{**g, "logits": z}, fused=True)[0]
loss.backward()
same = bool((z.grad == first[1]).all() and loss == first[0])
z = g["logits"].clone().requires_grad_()
checkpoint(lambda x: f(**{**g, "logits": x}, fused=True)[0], z, use_reentrant=False).backward()
logits = [g["logits"].clone().requires_grad_()] + ([g["ref_logits"]] if hasattr(m, "both_fused") else [])
own = m.both_fused if hasattr(m, "both_fused") else m.policy_fused
checked = torch.library.opcheck(own, (logits, g["ids"], g["mask"], [], False))
result = [same, bool((z.grad == first[1]).all()), sorted(set(checked.values()))]
`,
      );
      expect(found).toEqual([true, true, ["SUCCESS"]]);
    },
  );

  // on a GPU kernels run where they are not forbidden
  it.skipIf(!isInterpreted)("is the file of emit torch where kernels do not run", async () => {
    const own = builtIn("wpo");
    await python().load("plain", emitTorch(own, { from: "logits" }).text);
    const found = await script(
      own,
      `
g = data(127)
a = run(g)
f = modules["plain"].wpo
b = run(g)
result = [bool((a[1] == b[1]).all() and a[0] == b[0]), sorted(a[2]) == sorted(b[2])]
`,
    );
    expect(found).toEqual([true, true]);
  });

  const cpuOnly = ["no GPU", "a gradient in place of tiles"];
  const wrong: readonly (readonly [string, string, RegExp])[] = [
    [
      "no Triton",
      "m.HAS_TRITON, m.triton = False, None; run(g, fused=True)",
      /^RuntimeError: wpo: fused=True, but Triton is missing; pip install 'triton>=3'\.$/,
    ],
    [
      "an old Triton",
      "m.HAS_TRITON, m.triton = False, types.SimpleNamespace(__version__='2.1.0'); run(g, fused=True)",
      /^RuntimeError: wpo: fused=True, but Triton is 2\.1\.0; pip install 'triton>=3'\.$/,
    ],
    [
      "no GPU",
      "m.INTERPRETED = False; run(g, fused=True)",
      /^RuntimeError: wpo: fused=True, but the logits are on cpu; move them to a GPU, or set TRITON_INTERPRET=1/,
    ],
    [
      "another type",
      "right(g, fused=True)",
      /^RuntimeError: wpo: fused=True, but the logits are torch\.float64; give float32, bfloat16 or float16\.$/,
    ],
    [
      "a gradient in place of tiles",
      "run(g, in_place=True)",
      /^RuntimeError: wpo: in_place=True needs the kernels, which do not run here; leave it out\.$/,
    ],
    [
      "a gradient in place of rows that are one",
      "run({**g, 'logits': g['logits'][:1]}, view=lambda z: z.expand(4, 5, 7), fused=True, in_place=True)",
      /^ValueError: logits: their strides are \(0, 7, 1\), so that no gradient fits there; leave in_place out\.$/,
    ],
  ];
  it.each(wrong.filter(([what]) => isInterpreted || !cpuOnly.includes(what)))(
    "refuses %s in a sentence",
    async (_, call, sentence) => {
      const found = await script(
        builtIn("wpo"),
        `
import types
g = data(7)
try: ${call}
except Exception as error: result = f"{type(error).__name__}: {error}"
`,
      );
      expect(found).toMatch(sentence);
    },
  );
});
