"""PyTorch on the CPU and on a CUDA device, eager and compiled. Speaks the protocol of serve.mjs."""

import json
import sys
import time
from pathlib import Path

request = json.loads(sys.argv[1])


def answer(**line):
    print(json.dumps(line), flush=True)


def main():
    try:
        import torch
        import torch.nn.functional as F
    except ImportError:
        advice = "install it, or name a Python that has it in PREFC_PYTHON"
        return answer(skip=f"{sys.executable} has no torch; {advice}")
    provider = request["provider"]
    on_cuda = provider.startswith("torch-cuda")
    if on_cuda and not torch.cuda.is_available():
        return answer(skip=f"torch {torch.__version__} of {sys.executable} finds no CUDA device")
    device = torch.device("cuda" if on_cuda else "cpu")
    rows, vocab, tokens, beta = (request[name] for name in ("rows", "vocab", "tokens", "beta"))
    dtype = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}[request["dtype"]]
    folder = Path(request["folder"])

    def read(name, kind, *shape):
        count = 1
        for extent in shape:
            count *= extent
        stored = torch.from_file(str(folder / name), size=count, dtype=kind)
        return stored.reshape(shape)

    def moved(values, kind):
        # a copy in memory of its own, where the file would be read through the cache of files
        return values.to(device, kind, copy=True)

    # rounded to nearest even, as the harness stores them
    policy = moved(read("policy.f32", torch.float32, rows, vocab), dtype).requires_grad_()
    reference = moved(read("reference.f32", torch.float32, rows, vocab), dtype)
    labels = moved(read("labels.u32", torch.int32, rows), torch.int64)

    def by_response(values):
        return values.reshape(2, -1, tokens)

    # The fused log_softmax and nll_loss are what cross_entropy is made of; its result serves the weights as well.
    def logp_of(logits):
        every = F.log_softmax(logits.float(), -1)
        return every, by_response(-F.nll_loss(every, labels, reduction="none"))

    def loss_of(logits, reference):
        every, logp = logp_of(logits)
        with torch.no_grad():
            ref_logps = logp_of(reference)[1].sum(-1)
        ratios = logp.sum(-1) - ref_logps
        each = -F.logsigmoid(beta * (ratios[0] - ratios[1]))
        if request["objective"] == "wpo":
            with torch.no_grad():
                alignment = every.exp().square_().sum(-1).log()
                each_weight = (logp - by_response(alignment)).mean(-1).exp()
            each = each_weight.prod(0) * each
        return each.mean()

    loss_function = torch.compile(loss_of) if provider.endswith("-compile") else loss_of

    def step():
        policy.grad = None
        loss = loss_function(policy, reference)
        loss.backward()
        return loss

    def marks():
        return [torch.cuda.Event(enable_timing=True) if on_cuda else None for _ in range(2)]

    synchronize = torch.cuda.synchronize if on_cuda else lambda: None
    # larger than the caches; written between steps
    scratch = torch.empty(2**26, dtype=torch.int32 if on_cuda else torch.int8, device=device)
    versions = {"torch": torch.__version__, "torch threads": str(torch.get_num_threads())}
    if on_cuda:
        versions["cuda"] = torch.version.cuda
        versions["cuda device"] = torch.cuda.get_device_name()
    answer(ready=versions)
    for line in sys.stdin:
        line = line.strip()
        if line == "end":
            break
        scratch.zero_()
        synchronize()
        begin, end = marks()
        processor = time.process_time()
        started = time.perf_counter()
        if on_cuda:
            begin.record()
        loss = step()
        if on_cuda:
            end.record()
        synchronize()
        milliseconds = 1000 * (time.perf_counter() - started)
        result = {
            "milliseconds": milliseconds,
            "processor_milliseconds": 1000 * (time.process_time() - processor),
        }
        if on_cuda:
            result["gpu_milliseconds"] = begin.elapsed_time(end)
        if line == "check":
            squares = sum(row.double().square().sum() for row in policy.grad)
            result["gradient_norm"] = squares.sqrt().item()
        answer(**result, loss=loss.item())


try:
    main()
except Exception as error:
    answer(error=f"{type(error).__name__}: {error}")
    raise
