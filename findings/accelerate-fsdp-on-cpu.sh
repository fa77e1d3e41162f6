#!/usr/bin/env bash
# accelerate 1.15.0 (PyPI) with torch 2.13.0: `accelerate launch` with a configuration that asks for FSDP 2 on two CPU processes.
# A good guess is a sharded model, or an error. What happens is silent: Accelerator() makes two processes that train apart,
# each with its own gradients, and Accelerator(cpu=True), which transformers' use_cpu asks for, makes plain data parallelism.
# Nothing is sharded either way, although PyTorch's own fully_shard works on CPU with gloo, as the last lines show.
# Output seen on 2026-11-27 is what `expected` holds below; the script fails if any of it changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet torch==2.13.0 2>/dev/null
"$work/env/bin/pip" install --quiet numpy accelerate==1.15.0 2>/dev/null
cat >"$work/fsdp.yaml" <<'YAML'
compute_environment: LOCAL_MACHINE
distributed_type: FSDP
fsdp_config:
  fsdp_version: 2
  fsdp_auto_wrap_policy: NO_WRAP
  fsdp_reshard_after_forward: true
machine_rank: 0
num_machines: 1
num_processes: 2
use_cpu: true
YAML
cat >"$work/train.py" <<'PYTHON'
import os
import sys

import torch
from accelerate import Accelerator
from torch.distributed.tensor import DTensor


def sharded(model):
    parameters = list(model.parameters())
    return f"{sum(isinstance(one, DTensor) for one in parameters)} of {len(parameters)} parameters sharded"


torch.manual_seed(0)
accelerator = Accelerator(cpu=True) if "cpu" in sys.argv else Accelerator()
model = torch.nn.Linear(4, 1, bias=False)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
prepared, optimizer = accelerator.prepare(model, optimizer)
rank = int(os.environ["RANK"])
loss = prepared(torch.full((1, 4), float(rank + 1))).sum()
accelerator.backward(loss)
optimizer.step()

import torch.distributed as dist

if not dist.is_initialized():
    dist.init_process_group("gloo")
moved = [None, None]
dist.all_gather_object(moved, next(iter(accelerator.unwrap_model(prepared).parameters())).sum().item())
if rank == 0:
    together = "agree" if moved[0] == moved[1] else "differ"
    print(f"{accelerator.distributed_type.value}: {sharded(prepared)}, ranks {together} after a step")

from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

own = torch.nn.Linear(4, 4)
fully_shard(own, mesh=init_device_mesh("cpu", (2,)))
if rank == 0:
    print(f"fully_shard by hand: {sharded(own)}")
dist.barrier()
dist.destroy_process_group()
PYTHON
run() {
  OMP_NUM_THREADS=1 "$work/env/bin/accelerate" launch --config_file "$work/fsdp.yaml" --main_process_port "$1" \
    "$work/train.py" "${@:2}" 2>>"$work/err" || { tail -n 20 "$work/err" >&2; exit 1; }
}
expected='NO: 0 of 1 parameters sharded, ranks differ after a step
fully_shard by hand: 2 of 2 parameters sharded
MULTI_CPU: 0 of 1 parameters sharded, ranks agree after a step
fully_shard by hand: 2 of 2 parameters sharded'
seen="$(run 29577)
$(run 29578 cpu)"
echo "$seen"
[ "$seen" = "$expected" ] || { echo "this is not what was seen before"; exit 1; }
if grep -iE 'fsdp.*(cpu|ignor)|(cpu|ignor).*fsdp' "$work/err"; then echo "it is said now"; exit 1; fi
