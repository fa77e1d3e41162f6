#!/usr/bin/env bash
# @tensorflow/tfjs 4.22.0 (npm), torch 2.13.0 and jax 0.10.2 (PyPI): the gradient of the maximum of n equal numbers.
# A good guess is that it sums to 1, whoever gets it: torch's max along a dimension gives all to one entry, torch.amax and
# jax.numpy.max give each 1/n. tfjs gives every one of the n entries the whole slope, so the gradient is n times as long.
# Raising all entries by h raises the maximum by h, and not by n·h as this gradient says. Equal logits are common in 16 bits.
# Output seen on 2026-11-27 is what `expected` holds below; the script fails if any of it changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet torch==2.13.0 jax==0.10.2 numpy==2.4.6 2>/dev/null
npm install --silent --no-audit --no-fund --prefix "$work" @tensorflow/tfjs@4.22.0 >/dev/null 2>&1
cat >"$work/ties.py" <<'PYTHON'
import jax
import jax.numpy as jnp
import torch


def of_torch(f):
    x = torch.full((4,), 2.0, requires_grad=True)
    f(x).backward()
    return x.grad.tolist()


print("torch max(dim):", of_torch(lambda x: x.max(0).values))
print("torch amax:", of_torch(torch.amax))
print("jax max:", jax.grad(jnp.max)(jnp.full((4,), 2.0)).tolist())
PYTHON
cat >"$work/ties.cjs" <<'JS'
const tf = require("@tensorflow/tfjs");
const x = tf.fill([4], 2);
const slopes = [...tf.grad((y) => tf.max(y))(x).dataSync()];
console.log(`tfjs max: [${slopes.map((slope) => slope.toFixed(1)).join(", ")}]`);
const [low, high] = [tf.max(x).dataSync()[0], tf.max(x.add(0.5)).dataSync()[0]];
console.log(`tfjs raised by 0.5 each: the maximum by ${high - low}, by the gradient ${0.5 * slopes.reduce((a, b) => a + b)}`);
JS
expected='torch max(dim): [1.0, 0.0, 0.0, 0.0]
torch amax: [0.25, 0.25, 0.25, 0.25]
jax max: [0.25, 0.25, 0.25, 0.25]
tfjs max: [1.0, 1.0, 1.0, 1.0]
tfjs raised by 0.5 each: the maximum by 0.5, by the gradient 2'
seen="$("$work/env/bin/python" "$work/ties.py" 2>/dev/null)
$(node "$work/ties.cjs" 2>/dev/null | grep '^tfjs')"
echo "$seen"
[ "$seen" = "$expected" ] || { echo "this is not what was seen before"; exit 1; }
