// Functions that an emitted file brings along where torch's own differ from prefc's: by a slope that is infinite or undefined
// at an edge, or by 0 · ∞, which is 0 here. A file has only those that it calls.

export type Helper = "filled" | "log1mexp" | "held" | "power" | "product" | "quotient";

/** In the order in which a file has them; `modules` are imported. */
export const helpers: Readonly<
  Record<Helper, { readonly modules: readonly string[]; readonly lines: readonly string[] }>
> = {
  filled: {
    modules: [],
    lines: [
      "def filled(x, mask):",
      '    """x with what its row has at the first token in place of padding, of which no slope is infinite then."""',
      "    return torch.where(mask, x, torch.gather(x, 1, torch.argmax(1 * mask, 1, True)))",
    ],
  },
  held: {
    modules: [],
    lines: [
      "def held(function, x, edge):",
      '    """function(x), with slope 0 at an edge where torch would multiply 0 by an infinite slope."""',
      "    return torch.where(edge, function(torch.detach(x)), function(torch.where(edge, 1, x)))",
    ],
  },
  log1mexp: {
    modules: ["math"],
    lines: [
      "def log1mexp(x):",
      '    """log(1 - exp(x)) for x < 0, by the branch that does not cancel."""',
      "    far = x < -math.log(2)",
      "    near = torch.log(-torch.expm1(torch.where(far, -1, x)))",
      "    return torch.where(far, torch.log1p(-torch.exp(torch.where(far, x, -1))), near)",
    ],
  },
  power: {
    modules: [],
    lines: [
      "def power(base, exponent):",
      '    """base ** exponent, with slope 0 at 0 where torch has an infinite one."""',
      "    edge = (base == 0) & (exponent < 1)",
      "    return torch.where(edge, torch.pow(torch.detach(base), exponent), torch.pow(torch.where(edge, 1, base), exponent))",
    ],
  },
  product: {
    modules: [],
    lines: [
      "def product(a, b):",
      '    """a * b, and 0 where one factor is 0 and the other infinite."""',
      "    nothing = ((a == 0) & torch.isinf(b)) | ((b == 0) & torch.isinf(a))",
      "    return torch.where(nothing, 0, a) * torch.where(nothing, 0, b)",
    ],
  },
  quotient: {
    modules: [],
    lines: [
      "def quotient(a, b):",
      '    """a / b, with slope 0 where b is 0."""',
      "    edge = b == 0",
      "    return torch.where(edge, torch.detach(a / b), a / torch.where(edge, 1, b))",
    ],
  },
};
