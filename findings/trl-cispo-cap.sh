#!/usr/bin/env bash
# trl 1.16.0 (PyPI): GRPOTrainer with loss_type="cispo" and every other option at its default, one on-policy step.
# A good guess is that a ratio of 1 lies inside the clip, as with every other loss type, whose range is 1 ± epsilon. For CISPO,
# epsilon_high is the cap of the ratio itself, and its default is epsilon = 0.2. So the weight of every token is 0.2 instead
# of 1 from the first step on, and can never exceed 0.2: importance sampling is off, and the gradient is a fifth. Nothing is
# said. The clip ratio that is logged is the share of tokens with a positive advantage. With epsilon_high=5 none is clipped.
# Output seen on 2026-11-27 is what `expected` holds below; the script fails if any of it changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet torch==2.13.0 trl==1.16.0 transformers==5.24.0 2>/dev/null
cat >"$work/cispo.py" <<'PYTHON'
import sys

import torch
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl import GRPOConfig, GRPOTrainer

words = {word: position for position, word in enumerate(["<pad>", "<eos>", *map(str, range(30))])}
inner = Tokenizer(models.WordLevel(words, unk_token="<pad>"))
inner.pre_tokenizer = pre_tokenizers.Whitespace()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<pad>", eos_token="<eos>", unk_token="<pad>")


def reward(completions, **_):
    return [len(text) % 3 + 0.1 * position for position, text in enumerate(completions)]


def step(**options):
    torch.manual_seed(0)
    sizes = dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=2)
    model = LlamaForCausalLM(LlamaConfig(vocab_size=32, pad_token_id=0, eos_token_id=1, bos_token_id=None, **sizes))
    config = GRPOConfig(
        output_dir=sys.argv[1], loss_type="cispo", num_generations=4, per_device_train_batch_size=8, max_steps=1,
        max_completion_length=6, logging_steps=1, report_to="none", save_strategy="no", use_cpu=True, bf16=False, **options,
    )
    data = Dataset.from_dict({"prompt": ["1 2 3"] * 16})
    trainer = GRPOTrainer(model=model, reward_funcs=reward, args=config, train_dataset=data, processing_class=tokenizer)
    trainer.train()
    return trainer.state.log_history[0]


default, wide = step(), step(epsilon_high=5.0)
print(f"gradient by default / with epsilon_high=5: {default['grad_norm'] / wide['grad_norm']:.4f}")
print(f"on-policy tokens that count as clipped: {default['cispo_clip_ratio'] > 0} by default, {wide['cispo_clip_ratio'] > 0} with epsilon_high=5")
PYTHON
expected='gradient by default / with epsilon_high=5: 0.2000
on-policy tokens that count as clipped: True by default, False with epsilon_high=5'
"$work/env/bin/python" "$work/cispo.py" "$work/out" >"$work/all" 2>"$work/err" || { tail -n 20 "$work/err" >&2; exit 1; }
seen=$(grep -E '^(gradient|on-policy)' "$work/all")
echo "$seen"
[ "$seen" = "$expected" ] || { echo "this is not what was seen before"; exit 1; }
if grep -iE 'epsilon_high|cispo' "$work/err"; then echo "it is said now"; exit 1; fi
