// The Python around the kernels: where Triton is looked for, when kernels run and when tiles do, how a kernel is launched, and the
// operator of torch that the two kernels of some statistics are. It is the same text in every file.

/** Imports; a file without Triton, or with an old one, still has its tiles. */
export const importsOf = (name: string, what: string = "logits"): readonly string[] =>
  `
from typing import Tuple
try:
    import triton, triton.language as tl
except ImportError:
    triton, tl = None, types.SimpleNamespace(constexpr=int)
HAS_TRITON = triton is not None and int(triton.__version__.partition(".")[0]) >= 3
INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
BLOCK, WARPS = 4096, 8  # entries of a row that a program has in hand, a power of two, and its threads by 32
GROUP = tl.constexpr(4)  # entries, side by side, whose sums share a point
jit = triton.jit if HAS_TRITON else lambda kernel: kernel

def fuses(logits, fused, in_place):
    """Whether kernels run: on a GPU that has Triton 3, unless \`fused\` says otherwise. Elsewhere tiles do."""
    if not HAS_TRITON:
        why = f"Triton is {'missing' if triton is None else triton.__version__}; pip install 'triton>=3'"
    elif not logits.is_cuda and not INTERPRETED:
        why = f"the ${what} are on {logits.device.type}; move them to a GPU, or set TRITON_INTERPRET=1 before Python starts"
    elif logits.dtype not in (torch.float32, torch.bfloat16, torch.float16):
        why = f"the ${what} are {logits.dtype}; give float32, bfloat16 or float16"
    else:
        why = ""
    if fused and why:
        raise RuntimeError(f"${name}: fused=True, but {why}.")
    run = (logits.is_cuda and not why) if fused is None else fused
    if in_place and not run:
        raise RuntimeError(f"${name}: in_place=True needs the kernels, which do not run here; leave it out.")
    if in_place and (logits.stride(2) != 1 or 0 in logits.stride()):
        raise ValueError(f"logits: their strides are {logits.stride()}, so that no gradient fits there; leave in_place out.")
    return run
`
    .trim()
    .split("\n");

export const launching: readonly string[] = `
def launch(kernel, logits, ids, mask, others, numbers):
    """Runs a program for each row. Rows and tokens of the logits may be any distance apart; entries are side by side."""
    logits = [z if z.stride(2) == 1 else z.contiguous() for z in logits]
    rows, tokens, vocab = logits[0].shape
    places = [part for z in logits for part in (z, z.stride(0), z.stride(1))]
    if mask.numel() > 0:
        with torch.cuda.device_of(logits[0]):
            block = max(4, min(BLOCK, triton.next_power_of_2(vocab)))
            fixed = dict(BLOCK=block, num_warps=WARPS, enable_fp_fusion=True)
            kernel[(mask.numel(),)](*places, ids.contiguous(), mask.to(torch.uint8).contiguous(),
                *others, tokens, vocab, mask.numel(), *numbers, **fixed)
`
  .trim()
  .split("\n");

export const machinery: readonly string[] = `
def fused_operator(name, outputs, fields, forward, backward):
    """Makes an operator of logits out of two kernels: the statistics [outputs, rows, tokens], and what the gradient needs."""
    if hasattr(torch.ops.prefc, name):  # this very text was run before
        return getattr(torch.ops.prefc, name)
    @torch.library.custom_op(f"prefc::{name}", mutates_args=())
    def values(logits: List[torch.Tensor], ids: torch.Tensor, mask: torch.Tensor, numbers: List[float],
            in_place: bool) -> Tuple[torch.Tensor, torch.Tensor]:
        made, kept = fake(logits, ids, mask, numbers, in_place)
        launch(forward, logits, ids.clamp(0, logits[0].shape[-1] - 1), mask, [made.zero_(), kept.zero_()], numbers)
        return made, kept
    @values.register_fake
    def fake(logits, ids, mask, numbers, in_place):
        return [ids.new_empty(n, *ids.shape, dtype=torch.float32) for n in (outputs, fields)]
    def write(into, slope, kept, logits, ids, mask, numbers):
        others = [slope.contiguous(), kept, into, into.stride(0), into.stride(1)]
        launch(backward, logits, ids.clamp(0, logits[0].shape[-1] - 1), mask, others, numbers)
    @torch.library.custom_op(f"prefc::{name}_gradient", mutates_args=())
    def gradient(slope: torch.Tensor, kept: torch.Tensor, logits: List[torch.Tensor], ids: torch.Tensor,
            mask: torch.Tensor, numbers: List[float]) -> torch.Tensor:
        made = torch.empty(logits[0].shape, dtype=logits[0].dtype, device=logits[0].device)
        write(made, slope, kept, logits, ids, mask, numbers)
        return made
    gradient.register_fake(lambda slope, kept, logits, ids, mask, numbers: torch.empty(logits[0].shape,
        dtype=logits[0].dtype, device=logits[0].device))
    @torch.library.custom_op(f"prefc::{name}_gradient_in_place", mutates_args=("logits",))
    def overwrite(logits: torch.Tensor, slope: torch.Tensor, kept: torch.Tensor, others: List[torch.Tensor],
            ids: torch.Tensor, mask: torch.Tensor, numbers: List[float]) -> None:
        write(logits, slope, kept, [logits, *others], ids, mask, numbers)
    overwrite.register_fake(lambda logits, slope, kept, others, ids, mask, numbers: None)
    def setup(ctx, inputs, output):
        logits, ids, mask, ctx.numbers, ctx.in_place = inputs
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(ids, mask, output[1], *logits)
    def backward_of(ctx, slope, _):
        ids, mask, kept, *logits = ctx.saved_tensors
        if ctx.in_place:
            made = logits[0].detach()
            overwrite(made, slope, kept, logits[1:], ids, mask, ctx.numbers)
        else:
            made = gradient(slope, kept, logits, ids, mask, ctx.numbers)
        return [made] + [None] * (len(logits) - 1), None, None, None if ctx.numbers else [], None
    if backward is not None:
        values.register_autograd(backward_of, setup_context=setup)
    return values

def either(outputs, tiled, kernels):
    """Makes a function of logits that takes the kernels where they run, and the tiles elsewhere."""
    def statistics(logits, ids, mask, numbers, fused, in_place):
        if fuses(logits[0], fused, in_place):
            return kernels(logits, ids, mask, numbers, in_place)[0]
        return tiled(logits, ids, mask, numbers)[:outputs]
    return statistics
`
  .trim()
  .split("\n");
