"""Emitted trainers of a student and its teacher beside TRL's GKDTrainer. Prints a line of JSON."""
import copy
import json
import os
import sys
import tempfile

os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"
import torch
import torch.distributed as dist
from datasets import Dataset
from small import base, config, letters, load, tokenizer
from transformers import CohereConfig, CohereForCausalLM, LlamaForCausalLM
from trl.experimental.gkd import GKDConfig, GKDTrainer

folder, wanted = sys.argv[1], sys.argv[2:]
torch.manual_seed(1)
# as wide again as the student
teacher = LlamaForCausalLM(type(config)(**{**config.to_dict(), "hidden_size": 64}))
scaled = CohereForCausalLM(CohereConfig(
    vocab_size=len(letters), hidden_size=48, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2,
    logit_scale=0.3, pad_token_id=0, eos_token_id=1, bos_token_id=1,
))
with torch.no_grad():
    for parameter in [*teacher.parameters(), *scaled.parameters()]:
        parameter.mul_(3)  # so that the teacher has opinions
words = [("ab", " good"), ("cd", " yes sir"), ("hello", " world and moon"), ("x", " y")]


def rows(count):
    """Tokens of prompts and completions of several lengths."""
    some = [words[at % 4] for at in range(count)]
    ids = [[tokenizer(part)["input_ids"] for part in pair] for pair in some]
    return Dataset.from_dict({
        "prompt": [prompt for prompt, _ in some],
        "input_ids": [a + b + [1] for a, b in ids],
        "completion_mask": [[0] * len(a) + [1] * (len(b) + 1) for a, b in ids],
    })


def trainer(kind, steps=20, count=16, of=teacher, model=base, more=None, **options):
    given = dict(
        output_dir=tempfile.mkdtemp(), per_device_train_batch_size=2, gradient_accumulation_steps=2, max_steps=steps,
        logging_steps=1, report_to=[], use_cpu=True, bf16=False, learning_rate=1e-3, save_strategy="no",
        gradient_checkpointing=False, seed=7, disable_tqdm=True, lmbda=0.0, max_new_tokens=6,
    )
    torch.manual_seed(5)
    return kind(
        model=copy.deepcopy(model), teacher_model=copy.deepcopy(of), args=GKDConfig(**{**given, **options}),
        train_dataset=rows(count), processing_class=tokenizer, **(more or {}),
    )


def flat(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def versus(name, theirs, **options):
    """Largest difference of a parameter, of the loss and of a gradient's length from TRL's own trainer, and of the parameters of
    both from TRL's in float64."""
    logs, parameters = [], []
    wide = {"model": copy.deepcopy(base).double(), "of": copy.deepcopy(teacher).double()}
    for kind, own in ((GKDTrainer, theirs), (load(folder, name).GkdTrainer, {}), (GKDTrainer, {**theirs, **wide})):
        made = trainer(kind, **own, **options)
        made.train()
        logs.append([line for line in made.state.log_history if "loss" in line])
        parameters.append(flat(made.model))
    off = max(abs(x[key] - y[key]) for x, y in zip(*logs[:2]) for key in ("loss", "grad_norm"))
    missing = [key for key in logs[0][0] if key not in logs[1][0]]
    apart = lambda a, b: (a - b).abs().max().item()
    return {
        "parameters": apart(*parameters[:2]), "metrics": off, "missing": missing, "moved": apart(parameters[0], flat(base)),
        "rounding": [apart(one, parameters[2]) for one in parameters[:2]],
    }


def by_hand(made, batch, count=None, **options):
    """TRL's divergence of the logits of both models, which the models themselves make."""
    kwargs = {name: batch[name] for name in ("input_ids", "attention_mask")}
    with torch.no_grad():
        other = made.teacher_model(**kwargs).logits[:, :-1]
    logits = made.accelerator.unwrap_model(made.model)(**kwargs).logits[:, :-1]
    return GKDTrainer.generalized_jsd_loss(logits, other, batch["labels"][:, 1:], num_items_in_batch=count, **options)


def gradients(name, own="GkdTrainer", hand=by_hand, of=teacher, **options):
    """Loss and gradients of a batch beside those by hand, relative to the largest."""
    made = trainer(getattr(load(folder, name), own), of=of, more=options.pop("more", None))
    batch = made._prepare_inputs(next(iter(made.get_train_dataloader())))
    losses, slopes = [], []
    for loss in (made.compute_loss(made.model, batch), hand(made, batch, **options)):
        made.model.zero_grad()
        loss.backward()
        losses.append(loss.item())
        slopes.append(torch.cat([p.grad.flatten() for p in made.model.parameters()]))
    apart = (slopes[0] - slopes[1]).abs().max() / slopes[1].abs().max()
    return [abs(losses[0] - losses[1]) / abs(losses[1]), apart.item()]


def generated():
    """Completions of the student's and of the teacher's own: each step's loss beside that by hand over the same tokens."""
    found = {}
    for title, options in (("student", {"lmbda": 1.0}), ("teacher", {"seq_kd": True})):
        kind, seen = load(folder, "jsd").GkdTrainer, []

        class Watched(kind):
            def compute_loss(self, model, inputs, **kwargs):
                loss = super().compute_loss(model, inputs, **kwargs)
                with torch.no_grad():
                    seen.append((loss.item() * 2, by_hand(self, inputs).item(), inputs["labels"].ne(-100).sum().item()))
                return loss

        trainer(Watched, steps=4, **options).train()
        found[title] = {"apart": max(abs(a - b) / b for a, b, _ in seen), "counts": sorted({n for *_, n in seen})}
    return found


def whole(kind):
    """A step of plain descent in four parts of different lengths beside the gradient of the whole batch by hand: the largest
    difference relative to the largest gradient, and the length of the step in gradients."""
    ranks = int(os.environ.get("WORLD_SIZE", 1))
    made = trainer(
        kind, steps=1, count=4, per_device_train_batch_size=1, gradient_accumulation_steps=4 // ranks, optim="sgd",
        learning_rate=64.0, lr_scheduler_type="constant", max_grad_norm=0.0,
    )
    batch = made._prepare_inputs(made.data_collator(list(rows(4))))
    by_hand(made, batch).backward()
    model = made.accelerator.unwrap_model(made.model)
    slope = torch.cat([p.grad.flatten() for p in model.parameters()])
    model.zero_grad()
    before = flat(model)
    made.train()
    step = (before - flat(made.accelerator.unwrap_model(made.model))) / 64
    return {"apart": ((step - slope).abs().max() / slope.abs().max()).item(), "length": (step.norm() / slope.norm()).item()}


def wholes():
    return {"ours": whole(load(folder, "jsd").GkdTrainer), "theirs": whole(GKDTrainer)}


def adapter():
    """PEFT on the student."""
    from peft import LoraConfig

    lora = LoraConfig(r=4, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
    found = []
    for kind in (GKDTrainer, load(folder, "jsd").GkdTrainer):
        made = trainer(kind, more={"peft_config": copy.deepcopy(lora)})
        made.train()
        found.append(torch.cat([p.detach().flatten() for n, p in made.model.named_parameters() if "lora" in n]))
    return (found[0] - found[1]).abs().max().item()


def statistics(made, batch):
    """log π, and log Σ π² of each token, of both models, and the mask."""
    mask = (batch["labels"][:, 1:] != -100).float()
    found = []
    for model in (made.model, made.teacher_model):
        logs = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, :-1].log_softmax(-1)
        found.append((logs.gather(2, batch["input_ids"][:, 1:, None])[..., 0], (2 * logs).logsumexp(-1)))
    (log_probs, squares), (other, _) = found
    return log_probs, squares, other.detach(), mask


def gap(made, batch):
    log_probs, _, other, mask = statistics(made, batch)
    return (((log_probs - other) ** 2 * mask).sum(1) / mask.sum(1)).mean()


def sharp(made, batch):
    _, squares, other, mask = statistics(made, batch)
    return ((squares * other * mask).sum(1) / mask.sum(1)).mean()


def logged():
    """Metrics of the loss that are logged, and loss and metric of an evaluation beside those by hand."""
    made = trainer(load(folder, "gap").GapTrainer, steps=2)
    made.train()
    lines = [line for line in made.state.log_history if "loss" in line]
    found = made.evaluate(eval_dataset=made.train_dataset)
    made.model.eval()
    with torch.no_grad():
        batch = made._prepare_inputs(made.data_collator(list(made.train_dataset)))
        log_probs, _, other, mask = statistics(made, batch)
        right = {"eval_gap": (((log_probs - other) * mask).sum(1) / mask.sum(1)).mean(), "eval_loss": gap(made, batch)}
    return {
        "train": sorted(key for key in lines[0] if "gap" in key),
        "eval": max(abs(found[name] - value.item()) / abs(value.item()) for name, value in right.items()),
    }


def refused():
    said = []
    for name, own, options in (
        ("jsd", "GkdTrainer", {"beta": 1.0}),
        ("forward", "GkdTrainer", {"beta": 0.0}),
        ("jsd", "GkdTrainer", {"of": None}),
        ("jsd", "GkdTrainer", {"more": {"loss_params": {"betta": 1.0}}}),
        ("warm", "GkdTrainer", {"more": {"loss_params": {"temperature": 0.0}}}),
    ):
        try:
            trainer(getattr(load(folder, name), own), **options)
            said.append("nothing")
        except ValueError as error:
            said.append(str(error))
    made = trainer(load(folder, "jsd").GkdTrainer)
    try:
        made.compute_loss(made.model, {}, return_outputs=True)
    except ValueError as error:
        said.append(str(error))
    return said


checks = {
    "jsd": lambda: versus("jsd", {}, beta=0.3),
    "forward": lambda: versus("forward", {"beta": 0.0}),
    "reverse": lambda: versus("reverse", {"beta": 1.0}),
    "scaled": lambda: gradients("jsd", of=scaled, beta=0.5),
    "warm": lambda: gradients("warm", beta=0.5, temperature=2.0),
    "cold": lambda: gradients("warm", beta=0.5, temperature=0.5, more={"loss_params": {"temperature": 0.5}}),
    "gap": lambda: gradients("gap", "GapTrainer", gap),
    "sharp": lambda: gradients("sharp", "SharpTrainer", sharp),
    "generated": generated, "wholes": wholes, "adapter": adapter, "logged": logged, "refused": refused,
}
found = {name: checks[name]() for name in wanted or checks}
if not dist.is_initialized() or dist.get_rank() == 0:
    print("FOUND " + json.dumps(found))
if dist.is_initialized():
    dist.barrier()
    dist.destroy_process_group()
