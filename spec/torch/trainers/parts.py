"""Parts of a batch, of several sizes and on one rank or two, beside the whole of it: gradients of a small Llama. Prints a line of
JSON: for each loss the largest difference over the largest gradient, and the same of a mean of means as trainers take it."""
import copy
import inspect
import json
import os
import sys

import torch
import torch.distributed as dist
from small import base, load

folder, names = sys.argv[1], sys.argv[2:]
if "RANK" in os.environ:
    dist.init_process_group("gloo")
rank, ranks = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
torch.manual_seed(4)
model, other = base.double(), copy.deepcopy(base).double()
with torch.no_grad():
    for parameter in other.parameters():
        parameter.add_(0.05 * torch.randn_like(parameter))
count, width = 8, 12
ids = torch.randint(3, 30, (2, count, width))
lengths = torch.randint(2, width, (2, count, 1))
mask = (torch.arange(width - 1) < lengths) * 1
desirable = torch.tensor([1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 1.0], dtype=torch.float64)
groupings = {"1 x 8": [8], "2 x 4": [4, 4], "8 x 1": [1] * 8, "ragged": [3, 1, 4]}


def given(function, some):
    """What a function takes of some examples."""
    takes = inspect.signature(function).parameters
    first = 2 if function.__name__ != "sft" else 1  # a loss of chosen completions has their rows alone
    rows = ids[:first, some].reshape(-1, width)
    made = {"logits": model(rows).logits[:, :-1], "ids": rows[:, 1:], "mask": mask[:first, some].reshape(-1, width - 1)}
    with torch.no_grad():
        made["ref_logits"] = other(rows).logits[:, :-1]
    made["desirable"] = desirable[some]
    return {name: x for name, x in made.items() if name in takes}


def logratios(some):
    """Of the completions of the second response, whose sum over the batch is given from outside."""
    rows = ids[1, some]
    with torch.no_grad():
        a, b = [torch.log_softmax(m(rows).logits[:, :-1], 2).gather(2, rows[:, 1:, None])[..., 0] for m in (model, other)]
    return ((a - b) * mask[1, some]).sum()


def gradient(losses):
    model.zero_grad()
    for loss in losses:
        loss.backward()
    found = torch.cat([p.grad.flatten() if p.grad is not None else torch.zeros(p.numel(), dtype=p.dtype) for p in model.parameters()])
    return found.clone()


found = {}
for name in names:
    function = getattr(load(folder, f"parts_{name}"), name)
    whole = gradient([function(**given(function, list(range(count))))[0]])
    size = whole.abs().max()
    worst, means = 0.0, {}
    for title, sizes in groupings.items():
        starts = [sum(sizes[:at]) for at in range(len(sizes))]
        parts = [list(range(start, start + n)) for start, n in zip(starts, sizes)]
        # ranks take turns, so that with two of them their counts differ
        own = parts[rank::ranks]
        sums = torch.stack([
            torch.tensor(float(sum(map(len, own))), dtype=torch.float64),
            sum((mask[0, part].sum() for part in own), torch.tensor(0)).double(),
            sum((logratios(part) for part in own), torch.tensor(0.0, dtype=torch.float64)),
        ])
        if ranks > 1:
            dist.all_reduce(sums)
        every = dict(zip(("pairs", "tokens", "total_sums"), sums.tolist()))
        every["examples"] = every["pairs"]
        totals = {key: x for key, x in every.items() if key in inspect.signature(function).parameters}
        exact = gradient(function(**given(function, part), **totals)[0] for part in own)
        plain = gradient(function(**given(function, part))[0] / len(own) for part in own)
        if ranks > 1:
            dist.all_reduce(exact)
            dist.all_reduce(plain)
        worst = max(worst, ((exact - whole).abs().max() / size).item())
        means[title] = ((plain / ranks - whole).abs().max() / size).item()
    found[name] = {"exact": worst, "means": means}
if rank == 0:
    print("FOUND " + json.dumps(found))
if dist.is_initialized():
    dist.destroy_process_group()
