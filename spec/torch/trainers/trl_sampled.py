"""Emitted trainers of sampled completions beside TRL's GRPOTrainer and RLOOTrainer. Prints a line of JSON."""
import copy
import json
import os
import sys
import tempfile

import torch
import torch.distributed as dist
from datasets import Dataset
from small import base, load, tokenizer
from trl import GRPOConfig, GRPOTrainer, RLOOConfig, RLOOTrainer

folder, wanted = sys.argv[1], sys.argv[2:]
found = {}
stock = {
    "grpo": ("grpo", "GrpoTrainer", GRPOTrainer, GRPOConfig, {"loss_type": "grpo"}, {}),
    "dapo": ("dapo", "GrpoTrainer", GRPOTrainer, GRPOConfig, {}, {"num_iterations": 2}),
    "divergence": ("divergence", "GrpoTrainer", GRPOTrainer, GRPOConfig, {"loss_type": "dr_grpo"}, {"beta": 0.1}),
    "gspo": (
        "gspo", "GrpoTrainer", GRPOTrainer, GRPOConfig,
        {"loss_type": "grpo", "importance_sampling_level": "sequence"}, {"num_iterations": 2},
    ),
    "rloo": ("rloo", "RlooTrainer", RLOOTrainer, RLOOConfig, {}, {"beta": 0.05}),
}


def reward(completions, **_):
    return [float(len(set(text))) + 0.1 * text.count("a") for text in completions]


def trainer(kind, config, steps=20, **options):
    given = dict(
        output_dir=tempfile.mkdtemp(), per_device_train_batch_size=4, num_generations=4, max_completion_length=8,
        gradient_accumulation_steps=2, max_steps=steps, logging_steps=1, report_to=[], use_cpu=True, bf16=False,
        learning_rate=1e-3, save_strategy="no", gradient_checkpointing=False, seed=7, disable_tqdm=True,
    )
    torch.manual_seed(5)
    model = copy.deepcopy(base)
    if options.get("beta"):  # TRL makes the reference from a folder
        path = os.path.join(folder, "base")
        base.save_pretrained(path)
        if dist.is_initialized():  # the first rank alone writes
            dist.barrier()
        model = type(base).from_pretrained(path)
    return kind(
        model=model, reward_funcs=reward, args=config(**{**given, **options}), processing_class=tokenizer,
        train_dataset=Dataset.from_dict({"prompt": ["ab", "cd", "hello", "x"] * 8}),
    )


def versus(name):
    """Largest difference of a parameter and of a logged metric from TRL's own trainer."""
    file, own, kind, config, theirs, both = stock[name]
    logs, parameters = [], []
    for one, options in ((kind, {**theirs, **both}), (getattr(load(folder, file), own), both)):
        made = trainer(one, config, **options)
        made.train()
        logs.append([line for line in made.state.log_history if "loss" in line])
        parameters.append(torch.cat([p.detach().flatten() for p in made.model.parameters()]))
    keys = [key for key, value in logs[0][0].items() if isinstance(value, float) and "time" not in key]
    missing = [key for key in keys if key not in logs[1][0]]
    off = max(abs(x[key] - y[key]) for x, y in zip(*logs) for key in keys if key in y)
    moved = (parameters[0] - torch.cat([p.detach().flatten() for p in base.parameters()])).abs().max().item()
    return {"parameters": (parameters[0] - parameters[1]).abs().max().item(), "metrics": off, "missing": missing, "moved": moved}


def refused():
    said = []
    for file, own, config, options in (
        ("grpo", "GrpoTrainer", GRPOConfig, {"loss_type": "cispo"}),
        ("grpo", "GrpoTrainer", GRPOConfig, {"beta": 0.1}),
        ("grpo", "GrpoTrainer", GRPOConfig, {"epsilon_high": 0.3}),
        ("divergence", "GrpoTrainer", GRPOConfig, {}),
        ("given", "GrpoTrainer", GRPOConfig, {}),
    ):
        try:
            trainer(getattr(load(folder, file), own), config, **options)
            said.append("nothing")
        except ValueError as error:
            said.append(str(error))
    return said


checks = {name: (lambda name=name: versus(name)) for name in stock} | {"refused": refused}
for name in wanted or checks:
    found[name] = checks[name]()
if not dist.is_initialized() or dist.get_rank() == 0:
    print("FOUND " + json.dumps(found))
if dist.is_initialized():
    dist.barrier()
    dist.destroy_process_group()
