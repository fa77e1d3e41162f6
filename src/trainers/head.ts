// The head that an emitted trainer brings where TRL's own lacks a statistic or its gradient: hidden states and the language
// model's head in, statistics out. It answers to TRL's call, and holds the logits of one tile of rows at a time.

/** Lines of Python; `statistics` and `slopes` are functions of a tile of rows that the file defines. */
export const headLines: readonly string[] = `
class Statistics(torch.autograd.Function):
    """Statistics of rows of hidden states. The logits of a tile of rows are made, read and forgotten, and made again
    for the gradient, but for numbers of a row, which are kept; gradients of the head are summed in 32 bits."""
    @staticmethod
    def forward(ctx, hidden, weight, bias, labels, beside, projects, functions, numbers, outputs):
        dtype = torch.promote_types(hidden.dtype, torch.float32)
        read, kept = outputs
        made = torch.zeros(read + kept, len(labels), dtype=dtype, device=hidden.device)
        with maybe_gather_lm_head_ctx(weight, bias):
            for rows in tiles_of(len(labels), weight, hidden.device):
                parts = zip(projects, [(hidden, weight, bias), *beside])
                z = [project(h[rows], w, b)[0].to(dtype) for project, (h, w, b) in parts]
                made[:, rows] = torch.stack(functions[0](*z, labels[rows], *numbers))
        ctx.save_for_backward(made[read:].clone(), hidden, weight, bias, labels, *[x for one in beside for x in one])
        ctx.rest = projects, functions, numbers
        return made[:read].clone()
    @staticmethod
    def backward(ctx, slope):
        kept, hidden, weight, bias, labels, *others = ctx.saved_tensors
        beside = list(zip(others[::3], others[1::3], others[2::3]))
        projects, functions, numbers = ctx.rest
        d_hidden = torch.zeros_like(hidden)
        d_weight = torch.zeros_like(weight, dtype=slope.dtype) if weight.requires_grad else None
        d_bias = torch.zeros_like(bias, dtype=slope.dtype) if bias is not None and bias.requires_grad else None
        with maybe_gather_lm_head_ctx(weight, bias):
            for rows in tiles_of(len(labels), weight, hidden.device):
                parts = zip(projects, [(hidden, weight, bias), *beside])
                made = [project(h[rows], w, b) for project, (h, w, b) in parts]
                z = [one[0].to(slope.dtype) for one in made]
                dz = functions[1](*z, labels[rows], *numbers, *kept[:, rows], *slope[:, rows]) * made[0][1]
                d_hidden[rows] = (dz.to(weight.dtype) @ weight).to(hidden.dtype)
                if d_weight is not None:
                    d_weight += dz.T @ hidden[rows].to(dz.dtype)
                if d_bias is not None:
                    d_bias += dz.sum(0)
        made = [x if x is None else x.to(like.dtype) for x, like in ((d_weight, weight), (d_bias, bias))]
        return d_hidden, *made, *[None] * 6

def tiles_of(rows, weight, device):
    """Rows in tiles whose logits fit a cache, or a share of a device's memory."""
    return torch.arange(rows, device=device).split(max(1, (2 ** 22 if device.type == "cpu" else 2 ** 28) // len(weight)))

def projection(config):
    """From hidden states to logits and the slope of what follows the product: a scale and a soft cap, as the model has them."""
    named = ("logit_scale", "output_multiplier", "lm_head_multiplier")
    scale = next((x for x in (getattr(config, name, None) for name in named) if x is not None), None)
    if scale is None and getattr(config, "logits_scaling", None) is not None:
        scale = config.logits_scaling if config.model_type == "hyperclovax" else 1 / config.logits_scaling
    scale, cap = 1.0 if scale is None else scale, getattr(config, "final_logit_softcapping", None)
    def project(hidden, weight, bias):
        z = torch.nn.functional.linear(hidden.to(weight.dtype), weight, bias).float() * scale
        if cap is None:
            return z, scale
        bent = torch.tanh(z / cap)
        return cap * bent, scale * (1 - bent * bent)
    return project

def add_statistics_head(model, roles, numbers):
    """Has model(..., labels=labels, fused_lm_head=True, role=...) hand out the statistics of that role: names, the function
    that makes them of a tile, and that of their gradient. They are [rows, tokens − 1], zero where the label is −100. With
    only_hidden=True it hands out what statistics of two models are made of; that goes into \`beside\`."""
    original, project = model.forward, projection(model.config.get_text_config())
    @functools.wraps(type(model).forward)
    def forward(*args, fused_lm_head=False, labels=None, role=None, only_hidden=False, beside=(), **kwargs):
        if not fused_lm_head or not (only_hidden or role in roles):  # TRL's head hands out what it has
            asked = {"fused_lm_head": True} if fused_lm_head else {}
            return original(*args, **({} if labels is None else {"labels": labels}), **asked, **kwargs)
        hidden = model.base_model(*args, **{**kwargs, "use_cache": False}).last_hidden_state[:, :-1]
        head = model.get_output_embeddings()
        weight, bias = [x.full_tensor() if hasattr(x, "full_tensor") else x for x in (head.weight, head.bias)]
        mask = labels[:, 1:] != -100
        if only_hidden:
            return {"hidden": hidden[mask], "weight": weight, "bias": bias, "project": project}
        outputs, kept, *functions = roles[role]
        made = Statistics.apply(hidden[mask], weight, bias, labels[:, 1:][mask], [one[:3] for one in beside],
            [project, *[one[3] for one in beside]], functions, numbers(), (len(outputs), kept))
        empty = made.new_zeros(mask.shape)
        return {name: empty.masked_scatter(mask, one) for name, one in zip(outputs, made)}
    model.forward = forward
`
  .trim()
  .split("\n");
