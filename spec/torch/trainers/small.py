"""A Llama of two layers, a tokenizer and pairs, made in code, and a short training of each with a trainer of TRL."""
import copy
import importlib.util
import os
import tempfile

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", WANDB_DISABLED="true", CUDA_VISIBLE_DEVICES="")
import torch
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl import DPOConfig

letters = {"<pad>": 0, "<eos>": 1, "<unk>": 2, **{c: i + 3 for i, c in enumerate("abcdefghijklmnopqrstuvwxyz ")}}
made = Tokenizer(models.WordLevel(letters, unk_token="<unk>"))
made.pre_tokenizer = pre_tokenizers.Split("", "isolated")
tokenizer = PreTrainedTokenizerFast(
    tokenizer_object=made, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>"
)
torch.manual_seed(0)
config = LlamaConfig(
    vocab_size=len(letters),
    hidden_size=32,
    intermediate_size=64,
    num_hidden_layers=2,
    num_attention_heads=2,
    num_key_value_heads=2,
    max_position_embeddings=64,
    pad_token_id=0,
    eos_token_id=1,
    bos_token_id=1,
)
base = LlamaForCausalLM(config)
reference = copy.deepcopy(base)
with torch.no_grad():
    for parameter in reference.parameters():
        parameter.add_(0.02 * torch.randn_like(parameter))
pairs = {
    "prompt": ["ab", "cd", "hello", "x"] * 2,
    "chosen": [" good", " yes sir", " world", " y"] * 2,
    "rejected": [" bad", " no", " moon base", " zz"] * 2,
    "weight": [1.0, 0.5, 2.0, 1.5] * 2,
}
single = {
    "prompt": pairs["prompt"],
    "completion": [" good", " no", " moon base", " y", " bad", " yes sir", " world", " zz"],
    "label": [True, False, False, True, False, True, True, False],
    "weight": pairs["weight"],
}


def load(folder, name):
    """An emitted file as a module."""
    spec = importlib.util.spec_from_file_location(name, os.path.join(folder, f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def trainer(kind, steps=6, ref_model=True, columns=(), model=None, out=None, more=None, config=DPOConfig, **options):
    """A trainer of a class, ready to train."""
    given = dict(
        output_dir=out or tempfile.mkdtemp(),
        per_device_train_batch_size=4,
        max_steps=steps,
        logging_steps=1,
        report_to=[],
        use_cpu=True,
        bf16=False,
        learning_rate=1e-3,
        save_strategy="no",
        gradient_checkpointing=False,
        seed=7,
        data_seed=7,
        disable_tqdm=True,
    )
    table = pairs if config is DPOConfig else single
    data = {name: x for name, x in table.items() if name != "weight" or name in columns}
    return kind(
        model=copy.deepcopy(base) if model is None else model,
        ref_model=copy.deepcopy(reference) if ref_model else None,
        args=config(**{**given, **options}),
        train_dataset=Dataset.from_dict(data),
        processing_class=tokenizer,
        **(more or {}),
    )


def trained(kind, **options):
    """The logged lines, and all parameters in one tensor."""
    made = trainer(kind, **options)
    made.train()
    lines = [line for line in made.state.log_history if "loss" in line]
    return lines, torch.cat([one.detach().flatten() for one in made.model.parameters()])
