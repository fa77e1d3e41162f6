"""Emitted trainers of single completions beside TRL's KTOTrainer. Prints a line of JSON: what each check found."""
import json
import os
import sys
import tempfile

import torch
import torch.distributed as dist
from small import base, load, trained, trainer
from trl import KTOConfig, KTOTrainer

folder, wanted = sys.argv[1], sys.argv[2:]
found = {}
stock = {
    "kto": ("kto", "KtoTrainer", {}),
    "spelled": ("spelled", "SpelledTrainer", {}),
    "apo": ("apo", "KtoTrainer", {"loss_type": "apo_zero_unpaired"}),
}


def versus(name, steps=20):
    """Largest difference of a parameter and of a logged metric from TRL's own trainer."""
    file, kind, options = stock[name]
    given = dict(config=KTOConfig, beta=0.3, desirable_weight=1.5, steps=steps)
    theirs, a = trained(KTOTrainer, **given, **options)
    ours, b = trained(getattr(load(folder, file), kind), **given)
    numbers = [key for key, value in theirs[0].items() if isinstance(value, float)]
    missing = [key for key in numbers if key not in ours[0]]
    off = max(abs(x[key] - y[key]) for x, y in zip(theirs, ours) for key in numbers if key in x and key in y)
    return {"parameters": (a - b).abs().max().item(), "metrics": off, "missing": missing}


def cached():
    """Reference log-probabilities that TRL computed before training."""
    given = dict(config=KTOConfig, beta=0.3)
    _, a = trained(load(folder, "kto").KtoTrainer, **given)
    _, b = trained(load(folder, "kto").KtoTrainer, precompute_ref_log_probs=True, **given)
    return (a - b).abs().max().item()


def adapter():
    """PEFT, whose reference is the model with its adapter off."""
    import copy

    from peft import LoraConfig

    lora = LoraConfig(r=4, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM", init_lora_weights=True)

    def run(kind):
        torch.manual_seed(3)
        made = trainer(
            kind, config=KTOConfig, ref_model=False, model=copy.deepcopy(base), more={"peft_config": lora}, beta=0.3
        )
        made.train()
        return torch.cat([p.detach().flatten() for n, p in made.model.named_parameters() if "lora" in n])

    return (run(KTOTrainer) - run(load(folder, "spelled").SpelledTrainer)).abs().max().item()


def state():
    """The running mean of BCO, over a checkpoint; on every rank that of all of them."""
    kind = load(folder, "bco").BcoTrainer
    whole = trainer(kind, steps=4, config=KTOConfig)
    whole.train()
    out = tempfile.mkdtemp()
    if dist.is_initialized():
        shared = [out]
        dist.broadcast_object_list(shared)
        (out,) = shared
    trainer(kind, steps=4, out=out, save_strategy="steps", save_steps=2, config=KTOConfig).train()
    second = trainer(kind, steps=4, out=out, config=KTOConfig)
    second.train(resume_from_checkpoint=os.path.join(out, "checkpoint-2"))
    states = [whole.loss_state]
    if dist.is_initialized():
        states = [None, None]
        dist.all_gather_object(states, whole.loss_state)
    return {"whole": whole.loss_state, "resumed": second.loss_state, "ranks": states}


def own_head():
    """A loss of the policy's own statistic, which TRL's head has no gradient of: it trains."""
    made = trainer(load(folder, "sharp").SharpTrainer, config=KTOConfig, columns=("weight",))
    batch = next(iter(made.get_train_dataloader()))
    loss = made.compute_loss(made.model, batch)
    loss.backward()
    ours = {n: p.grad.clone() for n, p in made.model.named_parameters()}
    made.model.zero_grad()
    kwargs = {k: batch[k] for k in ("input_ids", "attention_mask")}
    logits = made.model(**kwargs).logits[:, :-1]
    mask = batch["completion_mask"][:, 1:]
    right, _ = load(folder, "sharp_logits").sharp(
        logits=logits, ids=batch["input_ids"][:, 1:], mask=mask, desirable=batch["label"], weight=batch["weight"]
    )
    right.backward()
    grads = {n: p.grad for n, p in made.model.named_parameters()}
    largest = max(x.abs().max() for x in grads.values())
    apart = max((ours[n] - x).abs().max() for n, x in grads.items()) / largest
    made.train()
    return [abs(loss.item() - right.item()) / abs(right.item()), apart.item()]


def evaluated():
    made = trainer(load(folder, "kto").KtoTrainer, config=KTOConfig)
    return sorted(made.evaluate(eval_dataset=made.train_dataset))


def refused():
    said = []
    for name, options in (
        ("kto", {"loss_type": "apo_zero_unpaired"}),
        ("bco", {"desirable_weight": 2.0}),
        ("kto", {"more": {"loss_params": {"betta": 1.0}}}),
        ("sharp", {}),
    ):
        kind = load(folder, name)
        own = next(getattr(kind, n) for n in dir(kind) if n.endswith("Trainer") and n != "KTOTrainer")
        try:
            trainer(own, config=KTOConfig, **options).train()
            said.append("nothing")
        except ValueError as error:
            said.append(str(error))
    return said


checks = {name: (lambda name=name: versus(name)) for name in stock}
checks |= {"cached": cached, "adapter": adapter, "state": state, "own_head": own_head}
checks |= {"evaluated": evaluated, "refused": refused}
for name in wanted or checks:
    found[name] = checks[name]()
if not dist.is_initialized() or dist.get_rank() == 0:
    print("FOUND " + json.dumps(found))
if dist.is_initialized():
    dist.barrier()
    dist.destroy_process_group()
