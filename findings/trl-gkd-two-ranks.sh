#!/usr/bin/env bash
# trl 1.16.0, transformers 5.24.0, accelerate 1.15.0 (PyPI): one step of the experimental GKDTrainer with plain gradient descent on the
# same four sequences, in one process and in two (gloo, no GPU).
# A good guess is that both take the same step. transformers divides the loss of each process by the tokens of all processes, and
# multiplies it by their number, since DistributedDataParallel averages gradients. The loss of this trainer takes that count of
# tokens and leaves the factor out, so its step is half as long on two processes, and 1/n on n. Adam hides most of that; plain
# descent, a clipped norm and the logged grad_norm do not. Nothing is said.
# Output seen on 2026-11-27 is what `expected` holds below; the script fails if any of it changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet torch==2.13.0 trl==1.16.0 transformers==5.24.0 accelerate==1.15.0 2>/dev/null
cat >"$work/gkd.py" <<'PYTHON'
import copy
import os
import sys

import torch
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl.experimental.gkd import GKDConfig, GKDTrainer

words = {word: position for position, word in enumerate(["<pad>", "<eos>", *map(str, range(30))])}
inner = Tokenizer(models.WordLevel(words, unk_token="<pad>"))
inner.pre_tokenizer = pre_tokenizers.Whitespace()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<pad>", eos_token="<eos>", unk_token="<pad>")
tokenizer.chat_template = "{% for message in messages %}{{ message['content'] }}{% endfor %}"

torch.manual_seed(0)
sizes = dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=2)
config = LlamaConfig(vocab_size=32, pad_token_id=0, eos_token_id=1, bos_token_id=None, **sizes)
student, teacher = LlamaForCausalLM(config), LlamaForCausalLM(config)
with torch.no_grad():
    for parameter in teacher.parameters():
        parameter.mul_(3)

ids = [[2, 3, 4, 5, 6, 1], [7, 8, 9, 10, 1], [11, 12, 13, 14, 15, 1], [16, 17, 18, 19, 1]]
data = Dataset.from_dict({
    "prompt": ["0"] * 4, "input_ids": ids, "completion_mask": [[0, 0] + [1] * (len(one) - 2) for one in ids],
})
ranks = int(os.environ.get("WORLD_SIZE", 1))
given = GKDConfig(
    output_dir=sys.argv[1], per_device_train_batch_size=4 // ranks, max_steps=1, optim="sgd", learning_rate=1.0,
    lr_scheduler_type="constant", max_grad_norm=0.0, lmbda=0.0, report_to=[], use_cpu=True, bf16=False, save_strategy="no",
    gradient_checkpointing=False, disable_tqdm=True, max_new_tokens=4,
)
trainer = GKDTrainer(
    model=copy.deepcopy(student), teacher_model=teacher, args=given, train_dataset=data, processing_class=tokenizer
)
trainer.train()
flat = lambda model: torch.cat([parameter.detach().flatten() for parameter in model.parameters()])
step = (flat(trainer.accelerator.unwrap_model(trainer.model)) - flat(student)).norm().item()
if int(os.environ.get("RANK", 0)) == 0:
    print(f"step {step:.8f}", flush=True)
PYTHON
export TRL_EXPERIMENTAL_SILENCE=1
"$work/env/bin/python" "$work/gkd.py" "$work/one" >"$work/all" 2>"$work/err" || { tail -n 20 "$work/err" >&2; exit 1; }
"$work/env/bin/python" -m torch.distributed.run --standalone --nproc-per-node 2 "$work/gkd.py" "$work/two" >>"$work/all" 2>"$work/err" || { tail -n 20 "$work/err" >&2; exit 1; }
seen=$(awk '$1 == "step" { n++; length_of[n] = $2 } END { printf "length of the step on two processes / on one: %.3f", length_of[2] / length_of[1] }' "$work/all")
expected='length of the step on two processes / on one: 0.500'
echo "$seen"
[ "$seen" = "$expected" ] || { echo "this is not what was seen before"; exit 1; }
