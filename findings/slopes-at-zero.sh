#!/usr/bin/env bash
# torch 2.13.0 and jax 0.10.2 (PyPI), @tensorflow/tfjs 4.22.0 (npm): the slope of |x|, and of max(x, 0) in every spelling, at x = 0.
# A good guess is 0 for |x| everywhere, since sign(0) is 0 in all three, and one value for max(x, 0) within a library. In fact
# |x| has the slopes 0, 1 and −1; max(x, 0) has three slopes in torch and in JAX, and two in tfjs. leaky_relu with the slope 0
# agrees with relu in torch and not in JAX. tfjs gives 1 and 0 for maximum by the order of its operands.
# Log-ratios of a policy and its reference are exactly 0 at the first training step, so losses start at these points.
# Output seen on 2026-11-27 is what `expected` holds below; the script fails if any of it changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet torch==2.13.0 jax==0.10.2 numpy==2.4.6 2>/dev/null
npm install --silent --no-audit --no-fund --prefix "$work" @tensorflow/tfjs@4.22.0 >/dev/null 2>&1
cat >"$work/slopes.py" <<'PYTHON'
import jax
import jax.numpy as jnp
import torch
import torch.nn.functional as F


def of_torch(f):
    x = torch.zeros(1, requires_grad=True)
    f(x).sum().backward()
    return x.grad.item()


def told(name, slopes):
    print(f"{name}:", ", ".join(f"{spelling} {slope:g}" for spelling, slope in slopes.items()))


zero = torch.zeros(1)
told("torch", {
    "abs": of_torch(torch.abs),
    "relu": of_torch(torch.relu),
    "leaky_relu(0)": of_torch(lambda x: F.leaky_relu(x, 0.0)),
    "maximum": of_torch(lambda x: torch.maximum(x, zero)),
    "clamp": of_torch(lambda x: torch.clamp(x, min=0)),
})
told("jax", {
    "abs": jax.grad(jnp.abs)(0.0),
    "relu": jax.grad(jax.nn.relu)(0.0),
    "leaky_relu(0)": jax.grad(lambda x: jax.nn.leaky_relu(x, 0.0))(0.0),
    "maximum": jax.grad(lambda x: jnp.maximum(x, 0.0))(0.0),
    "clip": jax.grad(lambda x: jnp.clip(x, 0.0, None))(0.0),
})
PYTHON
cat >"$work/slopes.cjs" <<'JS'
const tf = require("@tensorflow/tfjs");
const slope = (f) => tf.grad(f)(tf.tensor1d([0])).dataSync()[0];
const slopes = {
  abs: slope((x) => tf.abs(x)),
  relu: slope((x) => tf.relu(x)),
  "maximum(x, 0)": slope((x) => tf.maximum(x, 0)),
  "maximum(0, x)": slope((x) => tf.maximum(0, x)),
  clipByValue: slope((x) => tf.clipByValue(x, 0, 9)),
};
console.log("tfjs: " + Object.entries(slopes).map(([name, value]) => `${name} ${value}`).join(", "));
JS
expected='torch: abs 0, relu 0, leaky_relu(0) 0, maximum 0.5, clamp 1
jax: abs 1, relu 0, leaky_relu(0) 1, maximum 0.5, clip 0.5
tfjs: abs -1, relu 0, maximum(x, 0) 1, maximum(0, x) 0, clipByValue 1'
seen="$("$work/env/bin/python" "$work/slopes.py" 2>/dev/null)
$(node "$work/slopes.cjs" 2>/dev/null | grep '^tfjs')"
echo "$seen"
[ "$seen" = "$expected" ] || { echo "this is not what was seen before"; exit 1; }
