"""Emitted WPO beside TRL's own losses on the processor, in one run: seconds, processor seconds and peak memory as ratios.

    npx prefc emit torch wpo --from logits --out wpo.py
    npx prefc emit trl wpo --out wpo_trainer.py
    pip download trl==0.28.0 --no-deps && unzip -d trl028 trl-0.28.0-*.whl
    python bench/eager.py wpo.py wpo_trainer.py trl028

From logits, the peer is TRL 0.28: its concatenated_forward and dpo_loss, read from that folder and called as they are, with
a model that hands out the logits. Its weights are off by one token, so the losses differ. From statistics, the peer is
_compute_loss of the TRL that is installed, with a model that hands out what its fused head does: beside it stand the emitted
function alone and compute_loss of the emitted trainer, which logs metrics as TRL does. Every round times one step of each.
"""
import argparse
import ast
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from types import SimpleNamespace

import torch
import torch.nn.functional as F

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("logits", help="the emitted file from logits")
parser.add_argument("trainer", help="the emitted trainer")
parser.add_argument("trl028", help="the folder of TRL 0.28's unpacked wheel")
parser.add_argument("--shape", default="4,128,32000", help="pairs, tokens, vocabulary")
parser.add_argument("--rounds", type=int, default=7)
parser.add_argument("--threads", default="1,2")
parser.add_argument("--one", help="measures one thing in this process: SIDE:THREADS, with memory")
given = parser.parse_args()
pairs, tokens, vocab = map(int, given.shape.split(","))
beta = 0.1


def load(path):
    spec = importlib.util.spec_from_file_location(os.path.basename(path)[:-3], path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cut_out(path, names, scope):
    """Functions of a file by name, without running the rest of it."""
    with open(path) as file:
        tree = ast.parse(file.read())
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name in names]
    for node in found:
        node.returns, node.decorator_list = None, []
        for one in ast.walk(node.args):
            if isinstance(one, ast.arg):
                one.annotation = None
    exec(compile(ast.Module(found, []), path, "exec"), scope)


def old():
    """One step of TRL 0.28: the loss of both models' logits, and its gradient."""
    scope = {"torch": torch, "F": F, "FDivergenceType": SimpleNamespace(ALPHA_DIVERGENCE=1, JS_DIVERGENCE=2)}
    folder = os.path.join(given.trl028, "trl", "trainer")
    cut_out(os.path.join(folder, "utils.py"), {"selective_log_softmax", "flush_left"}, scope)
    cut_out(os.path.join(folder, "dpo_trainer.py"), {"concatenated_forward", "dpo_loss"}, scope)
    prompt = 1
    own = SimpleNamespace(
        pad_token_id=0, aux_loss_enabled=False, is_encoder_decoder=False, max_length=None, use_logits_to_keep=False,
        padding_free=False, use_weighting=True, loss_type=["sigmoid"], reference_free=False, f_divergence_type=0,
        beta=beta, label_smoothing=0.0, accelerator=SimpleNamespace(device=torch.device("cpu")),
        args=SimpleNamespace(rpo_alpha=None, ld_alpha=None),
    )
    ids, mask = batch["ids"], batch["mask"]
    first = ids.new_full((len(ids), prompt), 3)
    own.concatenated_inputs = lambda *_, **__: {
        "prompt_input_ids": first, "prompt_attention_mask": torch.ones_like(first),
        "completion_input_ids": ids, "completion_attention_mask": mask,
    }
    whole = {"prompt_input_ids": first[:pairs]}

    def step():
        def forward(logits, **more):
            return scope["concatenated_forward"](own, lambda *_, **__: SimpleNamespace(logits=logits), whole, **more)
        made = forward(full)
        with torch.no_grad():
            ref = forward(full_ref, is_ref_model=True)
        losses, chosen, rejected = scope["dpo_loss"](
            own, made["chosen_logps"], made["rejected_logps"], ref["chosen_logps"], ref["rejected_logps"]
        )
        loss = (losses * made["policy_weights"]).mean()
        loss.backward()
        return loss
    return step


def emitted():
    function = load(given.logits).wpo
    # whole logits, as a slice of them would have a gradient of its own beside theirs
    ids, mask = (F.pad(batch[name], (0, 1)) for name in ("ids", "mask"))

    def step():
        loss, metrics = function(full, full_ref, ids, mask, beta=beta)
        loss.backward()
        return loss
    return step


def made(kind):
    """A trainer of a class without its making, and a model that hands statistics out."""
    from accelerate import Accelerator

    own = object.__new__(kind)
    own.accelerator = Accelerator(cpu=True)
    own.model = SimpleNamespace(training=True)
    own._metrics, own._total_train_tokens, own._tp_size = {"train": defaultdict(list)}, 0, 1
    own.args = SimpleNamespace(gradient_checkpointing_kwargs=None)
    own.aux_loss_enabled, own.ld_alpha, own.precompute_ref_logps = False, None, True
    own.f_divergence_type, own.loss_types, own.loss_weights, own.use_weighting = "reverse_kl", ["sigmoid"], [1.0], True
    own.beta, own.label_smoothing = beta, 0.0
    own.loss_params, own.loss_state = {"beta": beta, "label_smoothing": 0.0}, {}
    return own


def from_statistics(side):
    from trl import DPOTrainer
    from trl.trainer.utils import FusedCausalLMOutput

    module = load(given.trainer)
    own = made(module.WpoTrainer if side == "emitted" else DPOTrainer)
    rows, width = batch["mask"].shape
    torch.manual_seed(1)
    log_probs = (-torch.rand(rows, width) * batch["mask"]).requires_grad_()
    outputs = FusedCausalLMOutput(
        log_probs=log_probs, entropy=torch.rand(rows, width), log_sum_sq_probs=-torch.rand(rows, width),
        mean_logits=torch.randn(rows, width), is_top1=torch.rand(rows, width) > 0.5,
    )
    ones = batch["mask"].new_ones(rows, 1)
    inputs = {
        "input_ids": torch.cat([ones, batch["ids"]], 1), "attention_mask": torch.cat([ones, batch["mask"]], 1),
        "completion_mask": torch.cat([0 * ones, batch["mask"]], 1),
        "ref_chosen_logps": torch.randn(pairs) - 60, "ref_rejected_logps": torch.randn(pairs) - 60,
    }
    asked = own.compute_loss if side == "emitted" else lambda model, inputs: own._compute_loss(model, inputs, False)
    if side == "function":
        names = ("log_probs", "log_sum_sq_probs", "entropy", "is_top1")
        ref = torch.cat([inputs["ref_chosen_logps"], inputs["ref_rejected_logps"]])
        kwargs = {**{name: outputs[name] for name in names}, "ref_logps": ref, "mask": batch["mask"], "beta": beta}
        asked = lambda model, inputs: module.wpo(**kwargs)[0]

    def step():
        for _ in range(100):
            log_probs.grad = None
            loss = asked(lambda **_: outputs, inputs)
            loss.backward()
        own._metrics["train"].clear()
        return loss
    return step


def inputs_of(side):
    torch.manual_seed(0)
    rows = 2 * pairs
    lengths = torch.randint(tokens // 2, tokens + 1, (rows, 1))
    lengths[0] = tokens
    made = {"ids": torch.randint(4, vocab, (rows, tokens)), "mask": (torch.arange(tokens) < lengths) * 1}
    if side != "logits":
        return made, None, None
    full = (2 * torch.randn(rows, tokens + 1, vocab)).requires_grad_()
    return made, full, full.detach() + 0.1 * torch.randn(rows, tokens + 1, vocab)


def memory(step):
    """The largest memory of a step above what was there before, in bytes; Linux alone says it."""
    def said(field):
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith(field))
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    before = said("VmRSS")
    step()
    return said("VmHWM") - before


sides = {"logits": {"peer": old, "emitted": emitted}}
stepping = lambda side: lambda: from_statistics(side)
sides["statistics"] = {"peer": stepping("peer"), "emitted": stepping("function")}
sides["statistics, in the trainer"] = {"peer": stepping("peer"), "emitted": stepping("emitted")}

if given.one:
    side, threads = given.one.split(":")
    torch.set_num_threads(int(threads))
    batch, full, full_ref = inputs_of("logits")
    print(json.dumps(memory(sides["logits"][side]())))
    sys.exit()

print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors, torch {torch.__version__}, "
    f"Python {platform.python_version()}; {pairs} pairs, {tokens} tokens, vocabulary {vocab}, {given.rounds} rounds")
for what, steps in sides.items():
    for threads in map(int, given.threads.split(",")):
        torch.set_num_threads(threads)
        batch, full, full_ref = inputs_of(what)
        run = {side: make() for side, make in steps.items()}
        first = {side: step().item() for side, step in run.items()}
        ratios = {"wall": [], "processor": []}
        for _ in range(given.rounds):
            taken = {}
            for side, step in run.items():
                if full is not None:
                    full.grad = None
                wall, busy = time.perf_counter(), time.process_time()
                step()
                taken[side] = time.perf_counter() - wall, time.process_time() - busy
            for at, clock in enumerate(ratios):
                ratios[clock].append(taken["peer"][at] / taken["emitted"][at])
        said = ", ".join(
            f"{clock} {statistics.median(x):.2f} ({min(x):.2f} to {max(x):.2f})" for clock, x in ratios.items()
        )
        off = abs(first["peer"] - first["emitted"]) / abs(first["peer"])
        print(f"from {what}, {threads} threads: times as fast as TRL's own: {said}; losses differ by {off:.1e}", flush=True)
    batch = full = full_ref = run = None
for threads in given.threads.split(","):
    taken = {}
    for side in sides["logits"]:
        asked = [sys.executable, *sys.argv, "--one", f"{side}:{threads}"]
        taken[side] = int(subprocess.run(asked, check=True, capture_output=True, text=True).stdout)
    print(f"from logits, {threads} threads: peak memory {taken['emitted'] / taken['peer']:.2f} of TRL's "
        f"({taken['emitted'] / 2**20:.0f} and {taken['peer'] / 2**20:.0f} MiB)")
