"""Emitted objectives from hidden states beside TRL's fused head and beside whole logits, in one run: time, share of the rate of
torch.matmul, and peak memory.

    npx prefc emit triton dpo --from hidden --out dpo.py
    npx prefc emit triton wpo --from hidden --out wpo.py
    pip download trl==1.16.0 --no-deps && unzip -d trl116 trl-1.16.0-*.whl
    python bench/head.py dpo.py wpo.py --trl trl116 --rows 2048 --vocab 32000 --hidden 512
    python bench/head.py dpo.py wpo.py --trl trl116 --device cuda --dtype bf16 --rows 8192 --vocab 128256 --hidden 4096

A step is the loss of both models and its gradient with respect to the policy's hidden states and head. TRL's head is read from its
file and makes what TRL's loss asks of it; the loss on it is TRL's formula. The floor is four products of the policy where logits are
made twice and three where they are stored, and one of the reference. Rounds time one step of each side.
"""
import argparse
import contextlib
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import threading
import time
import types

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("files", nargs="+", help="files of emit triton --from hidden; the function has the file's name")
parser.add_argument("--trl", help="the folder of TRL 1.16's unpacked wheel")
parser.add_argument("--device", default="cpu")
parser.add_argument("--dtype", default="f32")
parser.add_argument("--rows", type=int, default=2048)
parser.add_argument("--vocab", type=int, default=32000)
parser.add_argument("--hidden", type=int, default=512)
parser.add_argument("--budget", type=int, default=2**30)
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--sides", help="those sides alone, with commas between them")
parser.add_argument("--json", help="the file for a JSON object a line")
parser.add_argument("--peak", help="measures the memory of one side in this process")
given = parser.parse_args()

import torch
import torch.nn.functional as F

cuda = given.device == "cuda"
dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[given.dtype]
beta, sequences = 0.1, 8


def load(path, name=None):
    name = name or os.path.basename(path)[:-3]
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def peer():
    """TRL's head from its file alone: the package wants libraries that nothing here needs."""
    for name in ("peer", "peer.kernels", "peer.trainer", "peer.trainer.utils"):
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__path__ = []
    sys.modules["peer.trainer.utils"].maybe_gather_lm_head_ctx = lambda *_: contextlib.nullcontext()
    path = os.path.join(given.trl, "trl", "kernels", "chunked_logprob.py")
    return load(path, "peer.kernels.chunked_logprob").ChunkedLogProbFunction


generator = torch.Generator(given.device).manual_seed(1)
random = lambda *shape: torch.randn(*shape, generator=generator, device=given.device, dtype=dtype)
shape = (sequences, given.rows // sequences)
hidden, ref_hidden = random(*shape, given.hidden), random(*shape, given.hidden)
weight, ref_weight = [random(given.vocab, given.hidden) / given.hidden**0.5 for _ in range(2)]
ids = torch.randint(0, given.vocab, shape, generator=generator, device=given.device)
mask = torch.ones(shape, dtype=torch.bool, device=given.device)
live = [hidden.requires_grad_(), weight.requires_grad_()]


def emitted(module, name, plan):
    def step():
        loss, _ = getattr(module, name)(hidden, weight, ref_hidden, ref_weight, ids, mask, beta=beta, plan=plan, budget=given.budget)
        loss.backward()
        return loss
    return step


def formula(name, log_probs, sums, ref_log_probs):
    """TRL's loss of log-probabilities [rows, tokens]; sums: log Σ π² for the weights of WPO."""
    ratios = log_probs.sum(1) - ref_log_probs.sum(1)
    chosen, rejected = ratios.chunk(2)
    losses = -F.logsigmoid(beta * (chosen - rejected))
    if name == "wpo":
        aligned = torch.exp((log_probs - sums).mean(1).detach())
        losses = losses * aligned.chunk(2)[0] * aligned.chunk(2)[1]
    return losses.mean()


def fused(name, head):
    asked = ("entropy", "is_top1") + (("log_sum_sq_probs",) if name == "wpo" else ())
    def statistics_of(h, w, outputs):
        made = head.apply(h.flatten(0, 1), w, None, ids.flatten(), 1.0, 32768, None, 1.0, outputs)
        return [x if x is None else x.view(shape) for x in made]
    def step():
        log_probs, _, sums, _, _ = statistics_of(hidden, weight, asked)
        with torch.no_grad():
            ref_log_probs = statistics_of(ref_hidden, ref_weight.detach(), ())[0]
        loss = formula(name, log_probs, sums, ref_log_probs)
        loss.backward()
        return loss
    return step


def whole(name):
    def of(h, w):
        log_pi = F.log_softmax(F.linear(h, w).float(), -1)
        return log_pi.gather(-1, ids[..., None])[..., 0], log_pi
    def step():
        log_probs, log_pi = of(hidden, weight)
        with torch.no_grad():
            ref_log_probs = of(ref_hidden, ref_weight)[0]
            sums = log_pi.exp().square().sum(-1).log() if name == "wpo" else None
        loss = formula(name, log_probs, sums, ref_log_probs)
        loss.backward()
        return loss
    return step


modules = {os.path.basename(path)[:-3]: load(path) for path in given.files}
head = peer() if given.trl else None
sides = {}
for name, module in modules.items():
    sides |= {f"{name} {plan}": emitted(module, name, plan) for plan in ("stored", "recomputed")}
    if head:
        sides[f"{name} trl"] = fused(name, head)
    sides[f"{name} logits"] = whole(name)
if given.sides:
    sides = {name: step for name, step in sides.items() if any(one in name for one in given.sides.split(","))}


def run(step):
    for x in live:
        x.grad = None
    return step()


def timed(work):
    if not cuda:
        began = time.perf_counter()
        work()
        return 1000 * (time.perf_counter() - began)
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda._sleep(20_000_000)  # Python is ahead of the GPU
    begin.record()
    work()
    end.record()
    torch.cuda.synchronize()
    return begin.elapsed_time(end)


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def peak(step):
    """Bytes beyond those that are there before a step, its gradients among them."""
    if cuda:
        for x in live:
            x.grad = None
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        step()
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated() - before
    before, most, over = resident(), [0], threading.Event()
    def watch():
        while not over.wait(0.002):
            most[0] = max(most[0], resident())
    thread = threading.Thread(target=watch)
    thread.start()
    step()
    over.set()
    thread.join()
    return most[0] - before


if given.peak:
    print(peak(sides[given.peak]))
    sys.exit()

lines = []


def tell(**line):
    lines.append(line)
    print("  ".join(f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in line.items() if key != "samples"), flush=True)


tell(what="versions", torch=torch.__version__, threads=torch.get_num_threads(), device=torch.cuda.get_device_name() if cuda else "cpu", dtype=given.dtype, rows=given.rows, vocab=given.vocab, hidden=given.hidden, budget=given.budget)
flat, out = hidden.detach().flatten(0, 1), None
rows = min(given.rows, max(128, given.budget // (8 * given.vocab)))
product = lambda: torch.mm(flat[:rows], weight.detach().T)
product()
product_ms = statistics.median(timed(product) for _ in range(5))
rate = 2 * rows * given.vocab * given.hidden / product_ms
tell(what="matmul", rows=rows, ms=product_ms, tflop_s=rate / 1e9)
losses = {name: float(run(step).detach()) for name, step in sides.items()}
times = {name: [] for name in sides}
for _ in range(given.rounds):
    for name, step in sides.items():
        times[name].append(timed(lambda: run(step)))
for name in sides:
    ms = statistics.median(times[name])
    own, side = name.split(" ")
    products = {"stored": 4, "logits": 4}.get(side, 5)
    if cuda:
        bytes_beside = peak(sides[name])
    else:  # what a process has freed is still its own, so each is measured in a new one
        asked = [x for x in sys.argv[1:]] + ["--peak", name]
        bytes_beside = int(subprocess.run([sys.executable, sys.argv[0], *asked], capture_output=True, text=True, check=True).stdout)
    of = {f"speed_of_{peer}": statistics.median(times[f"{own} {peer}"]) / ms for peer in ("trl", "logits") if f"{own} {peer}" in times and side != peer}
    tell(what=name, ms=ms, of_matmul=products * 2 * given.rows * given.vocab * given.hidden / ms / rate, peak_mib=bytes_beside / 2**20, loss=losses[name], **of, samples=times[name])
if given.json:
    with open(given.json, "w") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
