"""Runs emitted files for prefc: one JSON object a line in, one out, until the input ends.

{"do": "load", "key": K, "text": T}           makes the module K of a file's text
{"do": "run", "key": K, "function": F, ...}   calls a function of it; see `run`
Numbers travel as base64 of little-endian float64, so that none is rounded. Tensors lie on PREFC_TORCH_DEVICE, else on the CPU.
"""

import base64
import json
import linecache
import os
import sys
import types

import numpy
import torch

device = os.environ.get("PREFC_TORCH_DEVICE", "cpu")
modules = {}
compiled = {}


def decoded(tensor, dtype):
    """A tensor of {"shape", "data", "kind"}; kind is "real" or "whole"."""
    values = numpy.frombuffer(base64.b64decode(tensor["data"]), dtype="<f8").reshape(tensor["shape"])
    made = torch.from_numpy(values.copy()).to(device)
    return made.to(torch.int64) if tensor["kind"] == "whole" else made.to(dtype)


def encoded(tensor):
    """A tensor, or a number of Python, as base64."""
    values = torch.as_tensor(tensor).detach().to("cpu", torch.float64).contiguous().numpy()
    return base64.b64encode(values.astype("<f8").tobytes()).decode()


def load(request):
    # Triton reads the text of its kernels as inspect finds it
    lines = request["text"].splitlines(True)
    linecache.cache[request["key"]] = (len(request["text"]), None, lines, request["key"])
    module = types.ModuleType(request["key"])
    exec(compile(request["text"], request["key"], "exec"), module.__dict__)
    modules[request["key"]] = module
    return {}


def called(request):
    """The function as it is, traced by torch.fx, or compiled without a break in its graph."""
    key = (request["key"], request["function"], request["mode"])
    function = getattr(modules[request["key"]], request["function"])
    if request["mode"] == "eager":
        return function
    if key not in compiled:
        if request["mode"] == "fx":
            compiled[key] = torch.fx.symbolic_trace(function)
        else:
            compiled[key] = torch.compile(function, fullgraph=True, backend=request.get("backend", "inductor"))
    return compiled[key]


def run(request):
    """Loss, metrics, next state, and the gradient of the loss with respect to the named tensors."""
    dtype = getattr(torch, request["dtype"])
    tensors = {name: decoded(tensor, dtype) for name, tensor in request["tensors"].items()}
    for name in request["gradients"]:
        tensors[name].requires_grad_()
    loss, metrics, *state = called(request)(**tensors, **request["numbers"])
    wanted = [tensors[name] for name in request["gradients"]]
    slopes = torch.autograd.grad(loss, wanted, allow_unused=True) if wanted and loss.requires_grad else [None] * len(wanted)
    return {
        "loss": encoded(loss),
        "metrics": {name: encoded(value) for name, value in metrics.items()},
        "state": {name: encoded(value) for name, value in (state[0] if state else {}).items()},
        "gradients": {
            name: encoded(torch.zeros_like(tensor) if slope is None else slope)
            for name, tensor, slope in zip(request["gradients"], wanted, slopes)
        },
    }


def script(request):
    """What a piece of Python leaves under the name `result`; for tests of what a file does."""
    names = {"modules": modules, "torch": torch}
    exec(compile(request["text"], "script", "exec"), names)
    return {"result": names.get("result")}


doing = {"load": load, "run": run, "script": script}

torch.set_num_threads(1)
if device != "cpu":  # what scripts make lies there too
    torch.set_default_device(device)
print(json.dumps({"torch": torch.__version__, "python": sys.version.split()[0]}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = doing[request["do"]](request)
    except Exception as error:  # whatever a file raises is an answer
        answer = {"error": {"type": type(error).__name__, "message": str(error)}}
    print(json.dumps(answer), flush=True)
