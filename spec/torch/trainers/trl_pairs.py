"""Emitted trainers beside TRL's own. Prints a line of JSON: what each check found."""
import json
import os
import sys
import tempfile

import torch
import torch.distributed as dist
from small import load, trained, trainer
from trl import DPOTrainer

folder, wanted = sys.argv[1], sys.argv[2:]
found = {}

stock = {
    "sigmoid": ("dpo", "DpoTrainer", {}),
    "ipo": ("ipo", "IpoTrainer", {"loss_type": ["ipo"]}),
    "weighting": ("wpo", "WpoTrainer", {"use_weighting": True}),
    "mix": ("mix", "SigmoidSftTrainer", {"loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, 0.5]}),
    "divergence": ("js", "TrlDpoTrainer", {"f_divergence_type": "js_divergence"}),
}


def versus(name):
    """Largest difference of a parameter and of a logged metric from TRL's own trainer."""
    file, kind, options = stock[name]
    theirs, a = trained(DPOTrainer, beta=0.3, **options)
    ours, b = trained(getattr(load(folder, file), kind), beta=0.3)
    numbers = [key for key, value in theirs[0].items() if isinstance(value, float)]
    missing = [key for key in numbers if key not in ours[0]]
    off = max(abs(x[key] - y[key]) for x, y in zip(theirs, ours) for key in numbers if key in y)
    return {"parameters": (a - b).abs().max().item(), "metrics": off, "missing": missing}


def own_head():
    """Loss and gradients of the file's own head beside the same objective from logits."""
    off = {}
    for name, kind in (("tdpo1", "Tdpo1Trainer"), ("live", "WpoTrainer"), ("orpo", "OrpoTrainer")):
        made = trainer(getattr(load(folder, name), kind), beta=0.3)
        batch = next(iter(made.get_train_dataloader()))
        loss = made.compute_loss(made.model, batch)
        loss.backward()
        ours = {n: p.grad.clone() for n, p in made.model.named_parameters()}
        made.model.zero_grad()
        kwargs = {k: batch[k] for k in ("input_ids", "attention_mask")}
        logits = made.model(**kwargs).logits[:, :-1]
        with torch.no_grad():
            ref_logits = made.ref_model(**kwargs).logits[:, :-1]
        from_logits = getattr(load(folder, f"{name}_logits"), {"live": "wpo"}.get(name, name))
        mask = batch["completion_mask"][:, 1:]
        given = {"logits": logits, "ids": batch["input_ids"][:, 1:], "mask": mask, "ref_logits": ref_logits}
        given["prompt_mask"] = batch["attention_mask"][:, 1:] * (mask == 0)
        names = from_logits.__wrapped__.__code__.co_varnames[: from_logits.__wrapped__.__code__.co_argcount]
        taken = {n: x for n, x in given.items() if n in names}
        params = {"beta": 0.3} if "beta" in names else {}
        right, *_ = from_logits(**taken, **params)
        right.backward()
        wanted = {n: p.grad for n, p in made.model.named_parameters()}
        largest = max(x.abs().max() for x in wanted.values())
        apart = max((ours[n] - x).abs().max() for n, x in wanted.items())
        off[name] = [abs(loss.item() - right.item()) / abs(right.item()), (apart / largest).item()]
    return off


def cached():
    """Reference log-probabilities that TRL computed before training."""
    lines, a = trained(load(folder, "dpo").DpoTrainer, beta=0.3)
    again, b = trained(load(folder, "dpo").DpoTrainer, beta=0.3, precompute_ref_log_probs=True)
    return (a - b).abs().max().item()


def adapter():
    """PEFT, whose reference is the model with its adapter off."""
    from peft import LoraConfig
    from small import base
    import copy

    config = LoraConfig(r=4, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM", init_lora_weights=True)
    def run(kind, **options):
        torch.manual_seed(3)
        made = trainer(kind, ref_model=False, model=copy.deepcopy(base), more={"peft_config": config}, beta=0.3, **options)
        made.train()
        return torch.cat([p.detach().flatten() for n, p in made.model.named_parameters() if "lora" in n])
    same = (run(DPOTrainer) - run(load(folder, "dpo").DpoTrainer)).abs().max().item()
    own = run(load(folder, "tdpo1").Tdpo1Trainer)
    return {"dpo": same, "tdpo1 moves": own.abs().max().item()}


def resumed():
    """State of the loss, kept over a checkpoint."""
    kind = load(folder, "shifted").BcoPairShiftedTrainer
    whole = trainer(kind, steps=4)
    whole.train()
    out = tempfile.mkdtemp()
    first = trainer(kind, steps=4, out=out, save_strategy="steps", save_steps=2)
    first.train()
    second = trainer(kind, steps=4, out=out)
    second.train(resume_from_checkpoint=os.path.join(out, "checkpoint-2"))
    return {"whole": whole.loss_state, "resumed": second.loss_state}


def gathered():
    """On two ranks: the state that both have, and the gradient of a loss that sorts the examples of both."""
    made = trainer(load(folder, "shifted").BcoPairShiftedTrainer, steps=4)
    made.train()
    states = [None, None]
    dist.all_gather_object(states, made.loss_state)
    made = trainer(load(folder, "aot").AotTrainer, beta=0.3)
    batch = next(iter(made.get_train_dataloader()))
    made.compute_loss(made.model, batch).backward()
    parts = [None, None]
    dist.all_gather_object(parts, {k: batch[k].chunk(2) for k in ("input_ids", "attention_mask", "completion_mask")})
    width = max(one["input_ids"][0].size(1) for one in parts)
    fit = lambda x: torch.nn.functional.pad(x, (0, width - x.size(1)))
    whole = {k: torch.cat([fit(one[k][half]) for half in (0, 1) for one in parts]) for k in parts[0]}
    ours = {n: p.grad.clone() for n, p in made.model.named_parameters()}
    for x in ours.values():
        dist.all_reduce(x)
    made.model.zero_grad()
    kwargs = {k: whole[k] for k in ("input_ids", "attention_mask")}
    with torch.no_grad():
        ref = made.ref_model(**kwargs).logits[:, :-1]
    logits = made.model(**kwargs).logits[:, :-1]
    mask = whole["completion_mask"][:, 1:]
    load(folder, "aot_logits").aot(logits, ref, whole["input_ids"][:, 1:], mask, beta=0.3)[0].backward()
    right = {n: p.grad for n, p in made.model.named_parameters()}
    largest = max(x.abs().max() for x in right.values())
    return {"states": states, "sorted": max((ours[n] / 2 - x).abs().max() for n, x in right.items()).item() / largest.item()}


def evaluated():
    made = trainer(load(folder, "wpo").WpoTrainer)
    made.train()
    return sorted(made.evaluate(eval_dataset=made.train_dataset))


def refused():
    said = []
    kind = load(folder, "wpo").WpoTrainer
    for options in (
        {"use_weighting": True},
        {"loss_type": ["ipo"]},
        {"more": {"loss_params": {"betta": 1.0}}},
    ):
        try:
            trainer(kind, **options)
            said.append("nothing")
        except ValueError as error:
            said.append(str(error))
    try:
        trainer(load(folder, "sft").SftTrainer, beta=0.3)
        said.append("nothing")
    except ValueError as error:
        said.append(str(error))
    made = load(folder, "columns")
    own = getattr(made, [name for name in dir(made) if name.endswith("Trainer") and name != "DPOTrainer"][0])
    try:
        trainer(own).train()
        said.append("nothing")
    except ValueError as error:
        said.append(str(error))
    lines, _ = trained(own, columns=("weight",))
    return {"said": said, "trained": lines[-1]["loss"]}


checks = {**{name: (lambda name=name: versus(name)) for name in stock}}
checks |= {"own_head": own_head, "cached": cached, "adapter": adapter, "resumed": resumed}
checks |= {"evaluated": evaluated, "refused": refused, "gathered": gathered}
for name in wanted or checks:
    found[name] = checks[name]()
if not dist.is_initialized() or dist.get_rank() == 0:
    print("FOUND " + json.dumps(found))
if dist.is_initialized():
    dist.barrier()
    dist.destroy_process_group()
