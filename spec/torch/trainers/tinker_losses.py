"""Emitted losses through the checks of Tinker's SDK, and a training through a stand-in of its service: log-probabilities out,
their gradient in. Prints a line of JSON."""
import json
import sys

import torch
from small import base, letters, load
from tinker import types
from tinker.lib.public_interfaces.custom_loss import check_loss_inputs, encode_graph, run_loss_handle, trace_loss
from tinker.lib.public_interfaces.training_client import TrainingClient

folder = sys.argv[1]
found = {}


def tensor(x, dtype="float32"):
    return types.TensorData(data=x.flatten().tolist(), dtype=dtype, shape=list(x.shape))


def datum(prompt, completion, **more):
    ids = torch.tensor([letters[c] for c in prompt + completion])
    weights = torch.tensor([0.0] * (len(prompt) - 1) + [1.0] * len(completion))
    inputs = {"target_tokens": tensor(ids[1:], "int64"), "weights": tensor(weights)}
    inputs |= {name: tensor(torch.tensor(x)) for name, x in more.items()}
    return types.Datum(model_input=types.ModelInput.from_ints(ids[:-1].tolist()), loss_fn_inputs=inputs)


def logprobs(model, one):
    ids = torch.tensor([one.model_input.to_ints()])
    targets = one.loss_fn_inputs["target_tokens"].to_torch()
    return torch.log_softmax(model(ids).logits[0], 1).gather(1, targets[:, None])[:, 0]


def served(model, data):
    """What the service answers to a forward request."""
    with torch.no_grad():
        values = [logprobs(model, one) for one in data]
    made = [{"logprobs": tensor(x)} for x in values]
    return types.ForwardBackwardOutput(loss_fn_output_type="logprobs", loss_fn_outputs=made, metrics={})


def train(model, data, loss, steps, lr=0.05):
    losses = []
    for _ in range(steps):
        result = TrainingClient._compute_custom_loss(data, loss, served(model, data))
        losses.append(result.loss_sum)
        model.zero_grad()
        # the service's cross-entropy: minus log-probability times weight
        total = sum(-(logprobs(model, one) * linear.loss_fn_inputs["weights"].to_torch()).sum()
            for one, linear in zip(data, result.data))
        total.backward()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter -= lr * parameter.grad
    return losses


import copy

dpo = load(folder, "tinker_dpo")
texts = [("ab", " good"), ("ab", " bad"), ("hello", " world"), ("hello", " moon base")]
policy = copy.deepcopy(base)
data = [datum(*text) for text in texts]
with torch.no_grad():
    for one in data:
        one.loss_fn_inputs["ref_logprobs"] = tensor(logprobs(base, one))
by_service = train(policy, data, dpo.loss_fn(beta=0.3), 5)

# the same training, differentiated in one piece
direct = copy.deepcopy(base)
losses = []
for _ in range(5):
    loss, _ = dpo.loss_fn(beta=0.3)(data, [logprobs(direct, one) for one in data])
    losses.append(loss.item())
    direct.zero_grad()
    loss.backward()
    with torch.no_grad():
        for parameter in direct.parameters():
            parameter -= 0.05 * parameter.grad
found["service"] = by_service
found["direct"] = losses
found["parameters"] = max((a - b).abs().max().item() for a, b in zip(policy.parameters(), direct.parameters()))

sft = load(folder, "tinker_sft")
singles = data[::2]
values = [logprobs(base, one).detach().requires_grad_() for one in singles]
whole, _ = sft.loss_fn()(singles, values)
count = float(sum(one.loss_fn_inputs["weights"].to_torch().sum() for one in singles))
handle = trace_loss(sft.datum_loss(tokens=count), sft.INPUT_RANKS, "session")
check_loss_inputs(handle, singles)
encode_graph(handle)
total, metrics = run_loss_handle(handle, singles, values)
found["traced"] = [whole.item(), total.item()]
found["metrics"] = sorted(metrics)

said = []
for act in (
    lambda: dpo.loss_fn()(data[:1], [torch.zeros(3)]),
    lambda: dpo.loss_fn()([datum("a", "b"), datum("a", "c")], [torch.zeros(1), torch.zeros(1)]),
):
    try:
        act()
        said.append("nothing")
    except ValueError as error:
        said.append(str(error))
found["said"] = said
print("FOUND " + json.dumps(found))
