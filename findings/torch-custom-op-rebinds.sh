#!/usr/bin/env bash
# torch 2.13.0 (PyPI): a factory makes operators with torch.library.custom_op, each closing over a number of its own, under
# one name. A good guess is an error for the second registration, as torch.library.Library.define gives, or that each object
# calls its own function. What happens is silent: making the second one changes what the first one computes, in its value and
# in its gradient, although both are still held as two objects.
# Output seen on 2026-11-27 is what `expected` holds below; the script fails if any of it changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6 2>/dev/null
cat >"$work/ops.py" <<'PYTHON'
import torch


def scaled(by):
    @torch.library.custom_op("lab::scaled", mutates_args=())
    def op(x: torch.Tensor) -> torch.Tensor:
        return x * by

    op.register_autograd(lambda _, g: g * by)
    return op


def value_and_slope(op):
    x = torch.ones(1, requires_grad=True)
    y = op(x)
    y.backward()
    return f"value {y.item()}, slope {x.grad.item()}"


double = scaled(2.0)
print("double:", value_and_slope(double))
triple = scaled(3.0)
print("triple:", value_and_slope(triple))
print("double again:", value_and_slope(double))
print("one object:", double is triple)
PYTHON
expected='double: value 2.0, slope 2.0
triple: value 3.0, slope 3.0
double again: value 3.0, slope 3.0
one object: False'
seen=$("$work/env/bin/python" "$work/ops.py" 2>"$work/err") || { tail -n 20 "$work/err" >&2; exit 1; }
echo "$seen"
[ "$seen" = "$expected" ] || { echo "this is not what was seen before"; exit 1; }
if grep -iE 'overrid|already|regist' "$work/err"; then echo "it is said now"; exit 1; fi
