# Records twenty steps of TRL's DPOTrainer with python/record_trl.py: record_clean.py FOLDER [COUNT]. TRL 1.16, on the CPU.
import sys
from pathlib import Path

import torch
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl import DPOConfig, DPOTrainer

sys.path.insert(0, str(Path(__file__).parents[2] / "python"))
from record_trl import record

vocab = 19
words = ["<pad>", "<eos>", "<unk>"] + [f"w{index}" for index in range(vocab - 3)]
bare = Tokenizer(models.WordLevel({word: index for index, word in enumerate(words)}, unk_token="<unk>"))
bare.pre_tokenizer = pre_tokenizers.Whitespace()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=bare, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>")

objectives = {
    "dpo": {},
    "wpo": {"use_weighting": True},
    "ipo": {"loss_type": "ipo"},
    "hinge": {"loss_type": "hinge"},
}


def run(path, seed, **options):
    torch.manual_seed(seed)

    def text(least, most):
        count = int(torch.randint(least, most + 1, (1,)))
        return " ".join(words[int(index)] for index in torch.randint(3, vocab, (count,)))

    rows = [{"prompt": text(1, 3), "chosen": " " + text(1, 4), "rejected": " " + text(1, 4)} for _ in range(2)]
    config = LlamaConfig(
        vocab_size=vocab,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        initializer_range=0.5,
    )
    trainer = DPOTrainer(
        model=LlamaForCausalLM(config),
        ref_model=LlamaForCausalLM(config),
        args=DPOConfig(
            output_dir="/tmp/prefc-record",
            per_device_train_batch_size=2,
            max_steps=1,
            report_to=[],
            use_cpu=True,
            bf16=False,
            save_strategy="no",
            disable_tqdm=True,
            **options,
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
    )
    record(trainer, path)
    trainer.train()


folder, count = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5
for name, options in objectives.items():
    for seed in range(count):
        run(folder / f"{name}-{seed}.safetensors", seed, **options)
