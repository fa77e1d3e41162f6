"""The kernels of an emitted Triton file on a GPU, beside copying the same bytes and beside TRL's own kernel, in one run.

    npx prefc emit triton dpo --from logits --out dpo.py
    npx prefc emit triton wpo --from logits --out wpo.py
    pip download trl==1.16.0 --no-deps && unzip -d trl116 trl-1.16.0-*.whl
    python bench/fused.py dpo.py wpo.py --trl trl116 --json fused.jsonl

Times are medians of GPU events over rounds in which every side runs once, behind a wait long enough for Python to be ahead. Bytes are those that have to be moved: each logit is
read once forward, read once and written once backward. TRL's kernel gives log-probability and entropy; so does dpo's, and
whether the label is the largest. Without a GPU, --rehearse runs tiny sizes in Triton's interpreter, whose times say nothing.
"""
import argparse
import importlib.util
import json
import os
import statistics
import sys
import time

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("files", nargs="+", help="files of emit triton --from logits; the function has the file's name")
parser.add_argument("--trl", help="the folder of TRL 1.16's unpacked wheel")
parser.add_argument("--rows", type=int, default=8192)
parser.add_argument("--vocab", type=int, default=151936)
parser.add_argument("--dtype", default="bf16,f32")
parser.add_argument("--rounds", type=int, default=15)
parser.add_argument("--blocks", help="BLOCK:WARPS pairs to try, with commas between them")
parser.add_argument("--json", help="the file for a JSON object a line")
parser.add_argument("--rehearse", action="store_true")
given = parser.parse_args()
if given.rehearse:
    os.environ["TRITON_INTERPRET"] = "1"
    given.rows, given.vocab, given.rounds = 8, 640, 2

import torch
import triton

device = "cpu" if given.rehearse else "cuda"
leadIn = 20_000_000  # cycles, about 10 ms
types = {"bf16": torch.bfloat16, "f16": torch.float16, "f32": torch.float32}
pairs = 2


def load(path):
    name = os.path.basename(path)[:-3]
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return name, module


def timed(work):
    """Milliseconds of the GPU, or of the clock on the wall in a rehearsal."""
    if device == "cpu":
        began = time.perf_counter()
        work()
        return 1000 * (time.perf_counter() - began)
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda._sleep(leadIn)  # Python is done with the work before the GPU begins it
    begin.record()
    work()
    end.record()
    torch.cuda.synchronize()
    return begin.elapsed_time(end)


def medians(sides):
    """The median of each side over rounds, in which the sides take turns, after one that is not counted."""
    times = {name: [] for name in sides}
    for turn in range(given.rounds + 1):
        for name, work in sides.items():
            took = timed(work)
            if turn > 0:
                times[name].append(took)
    return {name: statistics.median(all) for name, all in times.items()}, times


lines = []


def tell(**line):
    lines.append(line)
    print("  ".join(f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in line.items() if key != "samples"), flush=True)


def peak(work):
    """Bytes that a step takes beyond those that are there before it."""
    if device == "cpu":
        return 0
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    work()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before


def peer():
    """TRL's kernel, from its file alone: the package wants libraries that nothing here needs."""
    path = os.path.join(given.trl, "trl", "kernels", "logprob_entropy.py")
    return load(path)[1].selective_log_softmax_and_entropy


def measure(dtype, modules):
    generator = torch.Generator(device).manual_seed(1)
    shape = (2 * pairs, given.rows // (2 * pairs), given.vocab)
    make = lambda: torch.empty(shape, dtype=types[dtype], device=device).normal_(0, 3, generator=generator)
    logits, ref = make(), make()
    ids = torch.randint(0, given.vocab, shape[:2], generator=generator, device=device)
    mask = torch.ones(shape[:2], dtype=torch.bool, device=device)
    size = logits.numel() * logits.element_size()
    live = logits.detach().requires_grad_()

    into = torch.empty_like(logits)
    sides = {"copy": lambda: into.copy_(logits)}
    moved = {"copy": 2 * size}
    slope = torch.randn(shape[:2], generator=generator, device=device) / given.rows

    def backward(values):
        live.grad = None
        torch.autograd.backward(values, [slope] * len(values))

    def of(module):
        def forward():
            with torch.no_grad():
                return module.policy_rows([logits], ids, mask, [], True, False)
        def both():
            backward([module.policy_rows([live], ids, mask, [], True, False)[0]])
        return forward, both

    for name, module in modules.items():
        forward, both = of(module)
        sides |= {f"{name} forward": forward, f"{name} value and gradient": both}
        moved |= {f"{name} forward": size, f"{name} value and gradient": 3 * size}
        def step(module=module, name=name):
            live.grad = None
            getattr(module, name)(live, ref, ids, mask)[0].backward()
        sides[f"{name} whole step"], moved[f"{name} whole step"] = step, 4 * size
    if given.trl:
        theirs = peer()
        def their_forward():
            with torch.no_grad():
                return theirs(logits, ids)
        sides |= {"trl forward": their_forward, "trl value and gradient": lambda: backward([theirs(live, ids)[0]])}
        moved |= {"trl forward": size, "trl value and gradient": 3 * size}
        mine = of(next(iter(modules.values())))[0]()
        off = [float((a.float() - b.float()).abs().max()) for a, b in zip(their_forward(), (mine[0], mine[2] if len(mine) > 3 else mine[1]))]
        tell(what="largest difference from trl", dtype=dtype, log_probs=off[0], entropy=off[1])
    found, samples = medians(sides)
    for name, ms in found.items():
        rate = moved[name] / ms / 1e6
        own = dict(gb_s=rate, of_copy=rate / (moved["copy"] / found["copy"] / 1e6))
        kind = name.partition(" ")[2]
        if f"trl {kind}" in found and not name.startswith("trl"):
            own["speed_of_trl"] = found[f"trl {kind}"] / ms
        tell(what=name, dtype=dtype, ms=ms, **own, samples=samples[name])
    del into
    for name, module in modules.items():
        live.grad = None
        for place in (False, True):
            def step():
                held = logits.detach().clone() if given.rehearse else logits
                held = held.detach().requires_grad_()
                getattr(module, name)(held, ref, ids, mask, in_place=place)[0].backward()
            # a step in place leaves its gradient where the logits were
            tell(what=f"{name} memory of a step{' in place' if place else ''}", dtype=dtype, gib=peak(step) / 2**30, logits_gib=size / 2**30)
            logits.copy_(make())
    for pair in (given.blocks or "").split(",") if given.blocks else []:
        block, warps = map(int, pair.split(":"))
        tried = {}
        for name, module in modules.items():
            module.BLOCK, module.WARPS = block, warps
            forward, both = of(module)
            tried |= {f"{name} forward": forward, f"{name} value and gradient": both}
        rounds, given.rounds = given.rounds, 5
        found = medians(tried)[0]
        given.rounds = rounds
        tell(what=f"BLOCK {block}, {warps} warps", dtype=dtype, **{name: moved[name] / ms / 1e6 for name, ms in found.items()})
    for module in modules.values():
        module.BLOCK, module.WARPS = defaults[module]


modules = dict(map(load, given.files))
defaults = {module: (module.BLOCK, module.WARPS) for module in modules.values()}
tell(what="versions", torch=torch.__version__, triton=triton.__version__, device=torch.cuda.get_device_name() if device == "cuda" else "none, a rehearsal", rows=given.rows, vocab=given.vocab)
for dtype in given.dtype.split(","):
    measure(dtype, modules)
if given.json:
    with open(given.json, "w") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
