// The Python around kernels and tiles that read logits made of hidden states: parts of rows and slices of the vocabulary whose logits are
// made, read and forgotten, products that keep their digits, and the operator of torch that all of it is.

export const hiddenMachinery: readonly string[] = `
OUT_DTYPE = torch.__version__ >= (2, 8)  # products of 16 bits may stay in 32

def logits_of(z, hidden, weight, bias, scale, cap):
    """Rows of logits into z, in 32 bits or more; products of 16-bit numbers are rounded only where torch has no other."""
    if hidden.dtype == z.dtype:
        torch.mm(hidden, weight.T, out=z)
    elif hidden.is_cuda and OUT_DTYPE:
        torch.mm(hidden, weight.T, out_dtype=z.dtype, out=z)
    else:
        z.copy_(torch.mm(hidden, weight.T))
    if bias.numel() > 0:
        z += bias
    if scale != 1:
        z *= scale
    if cap > 0:
        z.div_(cap).tanh_().mul_(cap)

def add_product(total, a, b):
    """total += a @ b in the digits of the total: products of parts that are rounded before they are added up drift."""
    if a.is_cuda and a.dtype != total.dtype and OUT_DTYPE:
        torch.addmm(total, a, b, out_dtype=total.dtype, out=total)
    else:
        total.addmm_(a.to(total.dtype), b.to(total.dtype))

def row_bytes(weights):
    return len(weights[0]) * max(4, weights[0].element_size()) * (len(weights) + 1)

def parts(mask, weights, budget):
    """Places of the tokens of completions, and where they lie among all of them, in parts whose logits and their gradient
    fit the budget."""
    size = max(1, budget // row_bytes(weights))
    split = mask.flatten().nonzero()[:, 0].split(size - size % 128 if size > 128 else size)
    ends = [0, *itertools.accumulate(map(len, split))]
    return [(slice(*ends[n:n + 2]), part) for n, part in enumerate(split)]

def spread(work, z):
    """Work on rows that fit a cache, as many at a time as torch has threads; on a device on all at once."""
    (count, vocab), threads = z[0].shape, torch.get_num_threads()
    size = max(1, 2 ** 16 // vocab) if z[0].is_cpu else count
    slices = [slice(first, first + size) for first in range(0, count, size)]
    if not z[0].is_cpu or threads == 1 or z[0].numel() < 2 ** 20:
        return [work(rows) for rows in slices]
    try:
        with concurrent.futures.ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(work, slices))
    finally:
        torch.set_num_threads(threads)

def head_operator(name, outputs, tiled, kernels):
    """Makes an operator of hidden states and heads: statistics [outputs, rows, tokens], what the gradient needs of each, and
    the logits where they are stored; else they are made once more."""
    if hasattr(torch.ops.prefc, name):  # this very text was run before
        return getattr(torch.ops.prefc, name)
    (kept_in_tiles, statistics, slopes), (fields, forward, backward, by_entry) = tiled, kernels
    def rows_of(hidden, weights, ids, where, part, held):
        h = [x.flatten(0, 1)[part] for x in hidden]
        like = dict(dtype=torch.promote_types(h[0].dtype, torch.float32))
        z = list(held[:, where]) if held.numel() > 0 else [w.new_empty(len(part), len(w), **like) for w in weights]
        return h, z, ids.flatten()[part].clamp(0, len(weights[0]) - 1).long()
    def run(kernel, z, y, others, numbers):
        launch(kernel, [x[None] for x in z], y[None], torch.ones_like(y[None], dtype=torch.bool), others, numbers)
    def least(z, rows):  # a copy; -inf is the least number, of probability 0 as well
        return [x[rows].clamp(min=torch.finfo(x.dtype).min) for x in z]
    def in_slices(d_hidden, slope, kept, held, hidden, weights, biases, ids, mask, numbers, scale, cap, budget, trained):
        """The gradient by slices of the vocabulary, all rows at a time: then each row of the head gets its own at once."""
        (vocab, size), places = weights[0].shape, mask.flatten().nonzero()[:, 0]
        d_weight, d_bias = [torch.empty_like(x if own else x.new_empty(0)) for x, own in zip((weights[0], biases[0]), trained)]
        h = [x.flatten(0, 1)[places] for x in hidden]
        y, (own, rest) = ids.flatten()[places], [x.flatten(1)[:, places].contiguous() for x in (slope, kept)]
        total = torch.zeros(len(places), size, dtype=slope.dtype, device=slope.device)
        width = budget // (max(1, len(places)) * row_bytes(weights) // vocab)
        width = width - width % 128 if width > 128 else 16 * max(1, width // 16)
        for first in range(0, vocab, width):
            s = slice(first, first + width)
            w, b = [x[s] for x in weights], [x[s] for x in biases]
            z = [x[:len(places), s] for x in held] if held.numel() > 0 else [
                torch.empty(len(places), len(x), dtype=slope.dtype, device=slope.device) for x in w]
            for each in zip(z, h, w, b) if held.numel() == 0 else ():
                logits_of(*each, scale, cap)
            bend = scale * (1 - (z[0] / cap) ** 2) if cap > 0 else scale
            g = z[0] if held.numel() == 0 and z[0].dtype == h[0].dtype else torch.empty(z[0].shape, dtype=h[0].dtype, device=y.device)
            if len(places) > 0:
                run(backward, z, y - first, [own, rest, g, g.numel(), g.stride(0)], numbers)
            if cap > 0 or scale != 1:
                g *= bend
            add_product(total, g, w[0])
            if trained[0]:
                torch.mm(g.T, h[0], out=d_weight[s])
            if trained[1]:
                d_bias[s] = g.sum(0, dtype=slope.dtype)
        d_hidden.flatten(0, 1)[places] = total.to(d_hidden.dtype)
        return [d_hidden, d_weight, d_bias]
    @torch.library.custom_op(f"prefc::{name}", mutates_args=())
    def values(hidden: List[torch.Tensor], weights: List[torch.Tensor], biases: List[torch.Tensor], ids: torch.Tensor,
            mask: torch.Tensor, numbers: List[float], scale: float, cap: float, budget: int, store: bool, fused: bool,
            trained: List[bool]) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        made, kept, held = fake(hidden, weights, biases, ids, mask, numbers, scale, cap, budget, store, fused, trained)
        made.zero_(), kept.zero_()
        for where, part in parts(mask, weights, budget):
            h, z, y = rows_of(hidden, weights, ids, where, part, held)
            for each in zip(z, h, weights, biases):
                logits_of(*each, scale, cap)
            if fused:
                one, rest = [x.new_zeros(len(x), 1, len(part)) for x in (made, kept)]
                run(forward, z, y, [one, rest], numbers)
                one, rest = one[:, 0], rest[:, 0]
            else:
                all = spread(lambda rows: torch.stack(statistics(*least(z, rows), y[rows], *numbers)), z)
                one, rest = torch.cat(all, 1).split([outputs, kept_in_tiles])
            made.flatten(1)[:, part], kept.flatten(1)[:, part] = one, rest
        if store:  # no row of these is read
            held[:, int(mask.sum()):] = 0
        return made, kept, held
    @values.register_fake
    def fake(hidden, weights, biases, ids, mask, numbers, scale, cap, budget, store, fused, trained):
        like = dict(dtype=torch.promote_types(hidden[0].dtype, torch.float32))
        sizes = [(n, *ids.shape) for n in (outputs, fields if fused else kept_in_tiles)]
        held = (len(weights), ids.numel(), len(weights[0])) if store else (0,)
        return [ids.new_empty(size, **like) for size in (*sizes, held)]
    @torch.library.custom_op(f"prefc::{name}_gradient", mutates_args=())
    def gradient(slope: torch.Tensor, kept: torch.Tensor, held: torch.Tensor, hidden: List[torch.Tensor],
            weights: List[torch.Tensor], biases: List[torch.Tensor], ids: torch.Tensor, mask: torch.Tensor,
            numbers: List[float], scale: float, cap: float, budget: int, store: bool, fused: bool,
            trained: List[bool]) -> List[torch.Tensor]:
        d_hidden = torch.zeros_like(hidden[0], memory_format=torch.contiguous_format)
        d_weight, d_bias = [torch.zeros_like(x if own else x.new_empty(0), dtype=slope.dtype)
            for x, own in zip((weights[0], biases[0]), trained)]
        if fused and by_entry:
            return in_slices(d_hidden, slope, kept, held, hidden, weights, biases, ids, mask, numbers, scale, cap, budget, trained)
        for where, part in parts(mask, weights, budget // 8 if store else budget):
            h, z, y = rows_of(hidden, weights, ids, where, part, held)
            for each in () if store else zip(z, h, weights, biases):
                logits_of(*each, scale, cap)
            own, rest = [x.flatten(1)[:, part].contiguous() for x in (slope, kept)]
            bend = scale * (1 - (z[0] / cap) ** 2) if cap > 0 else scale
            # logits that are not stored give their place
            g = torch.empty_like(z[0], dtype=h[0].dtype) if store or z[0].dtype != h[0].dtype else z[0]
            if fused:
                run(backward, z, y, [own, rest, g, g.numel(), g.stride(0)], numbers)
            else:
                spread(lambda rows: g[rows].copy_(slopes(*least(z, rows), y[rows], *numbers, *rest[:, rows], *own[:, rows])), z)
            if cap > 0 or scale != 1:
                g *= bend
            d_hidden.flatten(0, 1)[part] = g @ weights[0]
            if trained[0]:
                add_product(d_weight, g.T, h[0])
            if trained[1]:
                d_bias += g.sum(0, dtype=d_bias.dtype)
        return [d_hidden, d_weight.to(weights[0].dtype), d_bias.to(biases[0].dtype)]
    @gradient.register_fake
    def _(slope, kept, held, hidden, weights, biases, ids, mask, numbers, scale, cap, budget, store, fused, trained):
        return [torch.empty_like(hidden[0], memory_format=torch.contiguous_format)] + [torch.empty_like(
            x if own else x.new_empty(0)) for x, own in zip((weights[0], biases[0]), trained)]
    def setup(ctx, inputs, output):
        hidden, weights, biases, ids, mask, *ctx.rest = inputs
        ctx.mark_non_differentiable(*output[1:])
        ctx.save_for_backward(*output[1:], ids, mask, *hidden, *weights, *biases)
    def backward_of(ctx, slope, *_):
        kept, held, ids, mask, *given = ctx.saved_tensors
        n, (numbers, *_, trained) = len(given) // 3, ctx.rest
        made = gradient(slope, kept, held, given[:n], given[n:2 * n], given[2 * n:], ids, mask, *ctx.rest)
        known = [made[0]] + [x if own else None for x, own in zip(made[1:], trained)]
        return *[[x] + [None] * (n - 1) for x in known], None, None, None if numbers else [], *[None] * 6
    if backward is not None:
        values.register_autograd(backward_of, setup_context=setup)
    return values

def with_head(values, is_data):
    """Makes a function of hidden states and heads, which says in a sentence what does not fit. Logits of a model that learns
    are stored where all of them fit the budget, unless \`plan\` says otherwise."""
    def statistics(hidden, weights, biases, ids, mask, numbers, scale, cap, budget, plan, fused):
        run, need = fuses(hidden[0], fused, False), row_bytes(weights)
        for h, w in zip(hidden, weights):
            if h.dtype != w.dtype:
                raise TypeError(f"the hidden states are {h.dtype} and their head is {w.dtype}; give both in one type.")
        if budget < need:
            raise ValueError(f"budget: {budget} bytes hold no row of {len(weights[0])} logits and its gradient, which takes"
                f" {need}; give at least that.")
        if plan not in (None, "stored", "recomputed"):
            raise ValueError(f"plan is {plan!r}; give 'stored', 'recomputed', or None for what the budget allows.")
        biases = [w.new_empty(0) if b is None else b for w, b in zip(weights, biases)]
        if is_data:
            hidden, weights, biases = [[x.detach() for x in own] for own in (hidden, weights, biases)]
        trained = [weights[0].requires_grad, biases[0].requires_grad]
        store = not is_data and (plan == "stored" or plan is None and mask.numel() * need <= budget)
        return values(hidden, weights, biases, ids, mask, numbers, scale, cap, budget, store, run, trained)[0]
    return statistics

def find_nan(**tensors):
    """Says where the first number lies that is not finite; for hidden states and heads after verify has raised."""
    for name, x in tensors.items():
        found = (~torch.isfinite(x)).nonzero()
        if len(found) > 0:
            raise FloatingPointError(f"{name}: {float(x[tuple(found[0])])} at {found[0].tolist()}.")
`
  .trim()
  .split("\n");
