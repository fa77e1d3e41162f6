// Functions of Triton that an emitted file brings along where Triton has none, or has one that forgets what is no number. They
// are the formulas of the WGSL prelude. A file has only those that it calls.

export type DeviceFunction =
  | "expm1_of"
  | "larger_of"
  | "log1mexp_of"
  | "log1p_of"
  | "log_sigmoid_of"
  | "power_of"
  | "product_of"
  | "sigmoid_of"
  | "sign_of"
  | "smaller_of"
  | "square_of";

/** In an order in which each comes after those that it calls. */
const deviceFunctions: Readonly<
  Record<
    DeviceFunction,
    { readonly calls: readonly DeviceFunction[]; readonly lines: readonly string[] }
  >
> = {
  larger_of: {
    calls: [],
    lines: [
      "def larger_of(a, b):  # what is no number stays none",
      "    return tl.where((a > b) | (a != a), a, b)",
    ],
  },
  smaller_of: {
    calls: [],
    lines: [
      "def smaller_of(a, b):  # what is no number stays none",
      "    return tl.where((a < b) | (a != a), a, b)",
    ],
  },
  sign_of: {
    calls: [],
    lines: ["def sign_of(x):", "    return tl.where(x > 0.0, 1.0, tl.where(x < 0.0, -1.0, x))"],
  },
  square_of: { calls: [], lines: ["def square_of(x):", "    return x * x"] },
  product_of: {
    calls: [],
    lines: [
      "def product_of(a, b):  # 0 times what is infinite is 0",
      "    return tl.where((a == 0.0) | (b == 0.0), 0.0, a * b)",
    ],
  },
  expm1_of: {
    calls: [],
    lines: [
      "def expm1_of(x):  # near 0 the difference would cancel",
      "    high = 1 / 120 + x * (1 / 720 + x * (1 / 5040 + x * (1 / 40320 + x * (1 / 362880))))",
      "    series = x * (1.0 + x * (1 / 2 + x * (1 / 6 + x * (1 / 24 + x * high))))",
      "    return tl.where(tl.abs(x) < 0.5, series, tl.exp(x) - 1.0)",
    ],
  },
  log1p_of: {
    calls: [],
    lines: [
      "def log1p_of(p):  # the series of 2 artanh(p / (2 + p)) near 0, where 1 + p would lose p",
      "    s = p / (2.0 + p)",
      "    z = s * s",
      "    high = 1 / 11 + z * (1 / 13 + z * (1 / 15 + z * (1 / 17 + z * (1 / 19))))",
      "    series = 2.0 * s * (1.0 + z * (1 / 3 + z * (1 / 5 + z * (1 / 7 + z * (1 / 9 + z * high)))))",
      "    return tl.where((p > -0.5) & (p < 1.0), series, tl.log(1.0 + p))",
    ],
  },
  log1mexp_of: {
    calls: ["expm1_of", "log1p_of"],
    lines: [
      "def log1mexp_of(x):  # log(1 - e^x) by the branch that does not cancel",
      "    return tl.where(x < -0.6931472, log1p_of(-tl.exp(x)), tl.log(-expm1_of(x)))",
    ],
  },
  sigmoid_of: {
    calls: [],
    lines: [
      "def sigmoid_of(x):",
      "    e = tl.exp(-tl.abs(x))",
      "    return tl.where(x >= 0.0, 1.0, e) / (1.0 + e)",
    ],
  },
  log_sigmoid_of: {
    calls: ["log1p_of"],
    lines: [
      "def log_sigmoid_of(x):",
      "    return tl.where(x > 0.0, 0.0, x) - log1p_of(tl.exp(-tl.abs(x)))",
    ],
  },
  power_of: {
    calls: [],
    lines: [
      "def power_of(a, b):  # of a negative number where the exponent is whole",
      "    size = tl.exp2(b * tl.log2(tl.abs(a)))",
      "    odd = (tl.floor(b) == b) & (tl.floor(b * 0.5) * 2.0 != b)",
      '    signed = tl.where(tl.floor(b) == b, tl.where(odd, -size, size), float("nan"))',
      '    of_nothing = tl.where(b < 0.0, float("inf"), 0.0)',
      "    return tl.where(b == 0.0, 1.0, tl.where(a == 0.0, of_nothing, tl.where(a < 0.0, signed, size)))",
    ],
  },
};

/** The functions among these with all that they call, each before its users. */
export function deviceLines(used: ReadonlySet<DeviceFunction>): readonly string[] {
  const needed = new Set<DeviceFunction>();
  const need = (name: DeviceFunction): void => {
    needed.add(name);
    for (const other of deviceFunctions[name].calls) need(other);
  };
  for (const name of used) need(name);
  return (Object.keys(deviceFunctions) as DeviceFunction[])
    .filter((name) => needed.has(name))
    .flatMap((name) => ["@jit", ...deviceFunctions[name].lines, ""]);
}
