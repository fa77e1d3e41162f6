# Writes the files beside it, with safetensors, numpy and torch.
import numpy as np
import torch
from safetensors.torch import save_file

save_file(
    {
        "f64": torch.tensor([1.5, -2.25], dtype=torch.float64),
        "f32": torch.arange(6, dtype=torch.float32).reshape(2, 3) / 4,
        "f16": torch.tensor([1.5, -0.1], dtype=torch.float16),
        "bf16": torch.tensor([1.5, -0.1], dtype=torch.bfloat16),
        "i64": torch.tensor([-100, 2**40]),
        "i32": torch.tensor([-7], dtype=torch.int32),
        "i16": torch.tensor([-7], dtype=torch.int16),
        "i8": torch.tensor([-7], dtype=torch.int8),
        "u8": torch.tensor([250], dtype=torch.uint8),
        "bool": torch.tensor([True, False, True]),
        "scalar": torch.tensor(3.5),
        "empty": torch.zeros(3, 0, 2),
        "f8": torch.tensor([1.0, 2.0]).to(torch.float8_e4m3fn),
    },
    "types.safetensors",
    metadata={"format": "pt"},
)
arrays = {
    "f32": np.arange(6, dtype=np.float32).reshape(2, 3) / 4,
    "columns": np.asfortranarray(np.arange(24, dtype=np.float32).reshape(2, 3, 4)),
    "big": np.array([1, 2, -3], dtype=">i4"),
    "f16": np.array([1.5, -0.1], dtype=np.float16),
    "bf16": torch.tensor([1.5, -0.1], dtype=torch.bfloat16).view(torch.int16).numpy().view("V2"),
    "ids": np.array([-100, 7]),
    "mask": np.array([True, False]),
    "scalar": np.float64(2.5),
    "empty": np.zeros((0, 4), dtype=np.float32),
    "words": np.array(["a", "b"]),
}
np.savez("arrays.npz", **arrays)
np.savez_compressed("packed.npz", **arrays, zeros=np.zeros((300, 400), dtype=np.float32))
np.savez("objects.npz", thing=np.array([{"a": 1}], dtype=object))
np.savez("records.npz", thing=np.zeros(2, dtype=[("a", "f4"), ("b", "i4")]))
