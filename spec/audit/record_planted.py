# Records the same step as trainers compute it that make a mistake each: record_planted.py FOLDER. The losses are DPO and, where
# weights are at stake, WPO, in float32; "right" makes no mistake.
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

B, T, V, beta = 3, 12, 19, 0.1
pad = 0


def batch(side, ref_vocab):
    generator = torch.Generator().manual_seed(1)
    ids = torch.full((2 * B, T), pad)
    attention, completion = torch.zeros(2 * B, T, dtype=torch.long), torch.zeros(2 * B, T, dtype=torch.long)
    for row in range(2 * B):
        prompt, answer = (int(torch.randint(low, high, (1,), generator=generator)) for low, high in ((2, 5), (2, 6)))
        first = T - prompt - answer if side == "left" else 0
        ids[row, first : first + prompt + answer] = torch.randint(1, V, (prompt + answer,), generator=generator)
        attention[row, first : first + prompt + answer] = 1
        completion[row, first + prompt : first + prompt + answer] = 1
    policy = 2 * torch.randn(2 * B, T, V, generator=generator)
    ref = 2 * torch.randn(2 * B, T, ref_vocab, generator=generator)
    return ids, attention, completion, policy, ref


def log_softmax(logits, mistake):
    if mistake == "bf16":
        return logits.to(torch.bfloat16).log_softmax(-1)
    return logits.log_softmax(-1)


def record(path, mistake, weighted=False, side="right", ref_vocab=V):
    ids, attention, completion, policy, ref = batch(side, ref_vocab)
    policy.requires_grad_()
    labels, mask = ids[:, 1:].clone(), completion[:, 1:].bool()
    if mistake == "padding":
        mask = mask | (attention[:, 1:] == 0)
    if mistake == "prompt":
        mask = attention[:, 1:].bool()
    if mistake == "ignored":
        labels[~mask] = -100
        labels[labels == -100] = V - 1
        mask = torch.ones_like(mask)
    if mistake == "left":
        before = attention.argmax(1)
        moved = torch.stack([completion[row].roll(-int(before[row])) for row in range(2 * B)])
        mask = moved[:, 1:].bool()

    def token_logps(logits):
        if mistake == "vocabulary":
            logits = logits[..., :V]
        return log_softmax(logits[:, :-1], mistake).gather(2, labels[..., None])[..., 0].float()

    tokens, ref_tokens = token_logps(policy), token_logps(ref)
    sequences, ref_sequences = ((one * mask).sum(1) for one in (tokens, ref_tokens))
    chosen, rejected = (sequences - ref_sequences).chunk(2)
    losses = -F.logsigmoid(beta * (chosen - rejected))
    kept = {}
    if weighted:
        with torch.no_grad():
            logps = log_softmax(policy[:, :-1], mistake)
            own = tokens * mask
            if mistake == "shifted":
                own = torch.cat([torch.zeros(2 * B, 1), own[:, :-1]], 1)
            aligned = (own - (2 * logps).logsumexp(-1)) * mask
            total = aligned.sum(1)
            weights = torch.exp(total if mistake == "sums" else total / mask.sum(1))
        losses = losses * weights[:B] * weights[B:]
        kept["chosen_weights"], kept["rejected_weights"] = weights.chunk(2)
    loss = losses.mean()
    loss.backward()
    kept |= {
        "input_ids": ids,
        "attention_mask": attention,
        "completion_mask": completion.bool(),
        "policy_logits": policy,
        "ref_logits": ref,
        "chosen_logps": sequences[:B],
        "rejected_logps": sequences[B:],
        "ref_chosen_logps": ref_sequences[:B],
        "ref_rejected_logps": ref_sequences[B:],
        "losses": losses,
        "loss": loss,
        "metrics/rewards/chosen": beta * chosen.mean(),
        "metrics/rewards/rejected": beta * rejected.mean(),
        "grad_policy_logits": policy.grad,
    }
    save_file({name: value.detach().clone() for name, value in kept.items()}, path)


folder = Path(sys.argv[1])
for mistake in ["padding", "prompt", "ignored", "bf16"]:
    record(folder / f"planted-{mistake}.safetensors", mistake)
for mistake in ["shifted", "sums"]:
    record(folder / f"planted-{mistake}.safetensors", mistake, weighted=True)
record(folder / "planted-left.safetensors", "left", side="left")
record(folder / "planted-vocabulary.safetensors", "vocabulary", ref_vocab=V + 5)
# what is recorded alike, without a mistake
record(folder / "right-weighted.safetensors", None, weighted=True)
record(folder / "right-left.safetensors", None, side="left")
record(folder / "right-vocabulary.safetensors", None, ref_vocab=V + 5)
