"""Records steps of DPO and WPO on real logits: `python scripts/real/record.py textgenrnn-2.0.0.tar.gz spec/conformance`.

The policy begins as the character model of textgenrnn 2.0.0 and is trained; the model as it was is the reference. The chosen
texts are words of Shakespeare's sonnets, which nobody owns. The rejected ones are what the model itself writes after the same
words. Losses, gradients and metrics are those of TRL's own `DPOTrainer._compute_loss` in float64, and the logits are rounded to
three decimals first, so that the files are short. It needs torch 2.13.0, trl 1.16.0 and h5py.
"""

import copy
import inspect
import json
import sys
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace

import torch
import trl
from trl import DPOConfig, DPOTrainer

from model import CharacterModel, logits_of, opened

SEED = 20261127
PAIRS = [("Rough ", "winds"), ("Thou ", "art m")]
STEPS = (1, 10, 100)
KINDS = {"dpo": {}, "wpo": {"use_weighting": True}}


class Stub:
    """A model whose logits are given: it hands the loss what TRL's fused head would."""

    def __init__(self, logits):
        self.logits = logits

    def __call__(self, labels, **_):
        logps = torch.log_softmax(self.logits[:, :-1], -1)
        probabilities = logps.exp()
        targets = labels[:, 1:]
        kept = targets != -100
        picked = logps.gather(-1, targets.clamp(min=0)[..., None])[..., 0]
        return SimpleNamespace(
            log_probs=torch.where(kept, picked, 0.0),
            entropy=-(probabilities * logps).sum(-1),
            log_sum_sq_probs=torch.logsumexp(2 * logps, -1).detach(),
            mean_logits=self.logits[:, :-1].mean(-1),
            is_top1=self.logits[:, :-1].argmax(-1) == targets,
        )


def computed(kind, inputs, policy, ref):
    """Loss, gradient and metrics of TRL's method for these logits."""
    config = DPOConfig(output_dir="unused", report_to=[], use_cpu=True, bf16=False, **KINDS[kind])
    leaf = policy.clone().requires_grad_()
    same = SimpleNamespace(
        device=torch.device("cpu"), gather=lambda x: x, gather_for_metrics=lambda x: x, unwrap_model=lambda x: x
    )
    trainer = SimpleNamespace(
        model=torch.nn.Module(),
        ref_model=Stub(ref),
        accelerator=same,
        args=config,
        beta=config.beta,
        loss_types=["sigmoid"],
        loss_weights=[1.0],
        label_smoothing=0.0,
        f_divergence_type="reverse_kl",
        use_weighting=config.use_weighting,
        ld_alpha=None,
        precompute_ref_logps=False,
        aux_loss_enabled=False,
        _metrics=defaultdict(lambda: defaultdict(list)),
        _total_train_tokens=0,
        _tp_size=1,
    )
    trainer.model.gradient_checkpointing_disable = lambda: None
    trainer.model.is_gradient_checkpointing = False
    torch.set_default_dtype(torch.float64)
    loss = DPOTrainer._compute_loss(trainer, Stub(leaf), inputs, False)
    torch.set_default_dtype(torch.float32)
    loss.backward()
    metrics = {name: values[-1] for name, values in trainer._metrics["train"].items()}
    return loss.item(), leaf.grad, metrics


def texts(model, vocabulary):
    """The pairs as character numbers, the rejected completion written by the model."""
    start = vocabulary["<s>"]
    found = []
    for prompt, chosen in PAIRS:
        first = [start] + [vocabulary[c] for c in prompt]
        written = list(first)
        for _ in chosen:
            with torch.no_grad():
                odds = torch.softmax(logits_of(model, written)[-1], -1)
            odds[start] = 0
            written.append(int(torch.multinomial(odds, 1)))
        found.append((len(first), first + [vocabulary[c] for c in chosen], written))
    return found


def batch_of(found):
    """TRL's layout: chosen rows first, ids padded with 0 on the right."""
    rows = [chosen for _, chosen, _ in found] + [rejected for _, _, rejected in found]
    prompts = [length for length, _, _ in found] * 2
    width = max(map(len, rows))
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    attention, completion = ids.clone(), ids.clone()
    for row, (tokens, prompt) in enumerate(zip(rows, prompts)):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        attention[row, : len(tokens)] = 1
        completion[row, prompt : len(tokens)] = 1
    return {"input_ids": ids, "attention_mask": attention, "completion_mask": completion}


def logits_for(model, inputs):
    """Logits [2B, T, V], 0 where no completion token is predicted: the loss does not read those."""
    logits = torch.stack([logits_of(model, row) for row in inputs["input_ids"].tolist()])
    return logits * torch.nn.functional.pad(inputs["completion_mask"][:, 1:], (0, 1))[..., None]


def short(values):
    """Eleven digits, which is what a comparison to 1e-9 needs."""
    if isinstance(values, list):
        return [short(value) for value in values]
    return float(f"{values:.11g}")


def main(archive, target):
    torch.manual_seed(SEED)
    weights, vocabulary = opened(archive)
    reference = CharacterModel(weights)
    inputs = batch_of(texts(reference, vocabulary))
    # with a graph, as the policy's: without one the layers round otherwise, and the first step would not begin at the reference
    ref = torch.round(logits_for(reference, inputs).detach().double(), decimals=3)
    first = inspect.getsourcelines(DPOTrainer._compute_loss)
    lines = [first[1], first[1] + len(first[0]) - 1]
    for kind, options in KINDS.items():
        policy = copy.deepcopy(reference)
        optimizer = torch.optim.Adam(policy.parameters(), lr=1e-3)
        for step in range(1, max(STEPS) + 1):
            logits = logits_for(policy, inputs)
            rounded = torch.round(logits.detach().double(), decimals=3)
            loss, gradient, metrics = computed(kind, inputs, rounded, ref)
            if step in STEPS:
                name = f"real_{kind}__step{step}_b{len(PAIRS)}t{rounded.shape[1]}v{rounded.shape[2]}"
                record = {
                    "schema": 1,
                    "id": name,
                    "split": "open",
                    "objective": "trl-1.16/sigmoid" + ("+use_weighting" if options else ""),
                    "reimplemented": False,
                    "source": {
                        "repo": "huggingface/trl",
                        "commit": f"PyPI {trl.__version__}",
                        "file": "trl/trainer/dpo_trainer.py",
                        "function": "DPOTrainer._compute_loss",
                        "lines": {"DPOTrainer._compute_loss": lines},
                    },
                    "how_called": "on the logits of the character model of textgenrnn 2.0.0 (PyPI, MIT) while it is trained on two pairs, "
                    "by scripts/real/record.py; logits that no loss reads are 0",
                    "patches": ["the default dtype is float64"],
                    "params": {"loss_type": "sigmoid", "beta": 0.1, **options},
                    "shapes": {"B": len(PAIRS), "T": rounded.shape[1], "V": rounded.shape[2], "rows": 2 * len(PAIRS)},
                    "data_kind": "real",
                    "seed": SEED,
                    "dtype": "float64",
                    "encoding": "non-finite numbers are the strings NaN / Infinity / -Infinity",
                    "inputs": {
                        "rows": "[0:B]=chosen, [B:2B]=rejected; logits at position t predict input_ids[t+1]; loss uses completion_mask[:,1:]",
                        **{field: value.tolist() for field, value in inputs.items()},
                        "policy_logits": rounded.tolist(),
                        "ref_logits": ref.tolist(),
                    },
                    "outputs": {"loss": loss, "metrics": metrics, "grad_policy_logits": short(gradient.tolist())},
                }
                Path(target, name + ".json").write_text(json.dumps(record) + "\n")
                print(name, loss, metrics["rewards/margins"], metrics["mean_token_accuracy"])
            optimizer.zero_grad()
            logits.backward(gradient.to(logits.dtype))
            optimizer.step()


main(*sys.argv[1:])
