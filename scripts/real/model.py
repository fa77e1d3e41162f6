"""The character model of textgenrnn 2.0.0 (PyPI, MIT) in PyTorch: a public language model that ships its weights (1.9 MB).

Its vocabulary has 464 characters, the start of a text among them, and the padding 0. Two LSTM layers of 128 units read at most 40 characters; an attention over
the embedding and both layers predicts the next one. The reader of its weights follows the names in the file.
"""

import json
import tarfile
import tempfile
from pathlib import Path

import h5py
import torch


def opened(archive):
    """The weights and the vocabulary of the source archive of textgenrnn."""
    folder = Path(tempfile.mkdtemp())
    with tarfile.open(archive) as files:
        for name in ("textgenrnn_weights.hdf5", "textgenrnn_vocab.json"):
            member = next(one for one in files.getmembers() if one.name.endswith("/textgenrnn/" + name))
            (folder / name).write_bytes(files.extractfile(member).read())
    weights = {}
    with h5py.File(folder / "textgenrnn_weights.hdf5") as file:
        file.visititems(
            lambda name, item: weights.update({name: torch.tensor(item[()])})
            if isinstance(item, h5py.Dataset)
            else None
        )
    return weights, json.loads((folder / "textgenrnn_vocab.json").read_text(encoding="utf8"))


class CharacterModel(torch.nn.Module):
    """Contexts [N, 40] of character numbers, padded with 0 on the left, to logits [N, 465]."""

    def __init__(self, weights):
        super().__init__()

        def of(layer, part):
            return next(value for name, value in weights.items() if layer + "/" in name and part in name)

        embedding = of("embedding", "embeddings")
        self.embedding = torch.nn.Embedding.from_pretrained(embedding, freeze=False)
        self.layers = torch.nn.ModuleList()
        width = embedding.shape[1]
        for layer in ("rnn_1", "rnn_2"):
            lstm = torch.nn.LSTM(width, 128, batch_first=True)
            # the file holds the layout of cuDNN: each gate of the input kernel row by row, two biases
            gates = of(layer, "/kernel").split(128, 1)
            lstm.weight_ih_l0.data = torch.cat([gate.reshape(128, width) for gate in gates])
            lstm.weight_hh_l0.data = torch.cat(of(layer, "recurrent_kernel").split(128, 1))
            lstm.bias_ih_l0.data, lstm.bias_hh_l0.data = of(layer, "bias").clone().split(4 * 128)
            self.layers.append(lstm)
            width = 128
        self.attention = torch.nn.Parameter(of("attention", "attention_W").clone())
        self.kernel = torch.nn.Parameter(of("output", "kernel").clone())
        self.bias = torch.nn.Parameter(of("output", "bias").clone())

    def forward(self, contexts):
        parts = [self.embedding(contexts)]
        for layer in self.layers:
            parts.append(layer(parts[-1])[0])
        whole = torch.cat(parts, -1)
        share = torch.softmax((whole @ self.attention)[..., 0], -1)
        return (share[..., None] * whole).sum(1) @ self.kernel + self.bias


def logits_of(model, ids):
    """Logits [T, V] of one text: those at position t predict the character at t + 1."""
    contexts = torch.zeros(len(ids), 40, dtype=torch.long)
    for position in range(len(ids)):
        seen = ids[: position + 1][-40:]
        contexts[position, 40 - len(seen) :] = torch.tensor(seen)
    return model(contexts)
