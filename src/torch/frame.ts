// The file around a formula: its header, what it imports, and the checks that turn what does not fit into a sentence. The
// checks are the same text in every file; they run outside of torch.fx, which has no shapes to look at.

import { visible } from "../core/quote.ts";
import { helpers, type Helper } from "./helpers.ts";
import type { TensorArgument } from "./tensors.ts";
import type { Uses } from "./formula.ts";
import { wordOf } from "./names.ts";

/** Columns of a line of code, and of text. */
const width = 119;

/** A statement broken at spaces inside brackets, where Python lets it go on. */
export function broken(text: string, indent: string): readonly string[] {
  const code = text.split("  # ")[0]!;
  if (indent.length + text.length <= width) return [indent + text];
  const comment = text.slice(code.length).replace(/^ {2}/, "");
  const lines: string[] = comment === "" ? [] : [indent + comment];
  let [line, last, depth, quoted] = ["", -1, 0, ""];
  for (const letter of code) {
    if (quoted !== "") {
      if (letter === quoted) quoted = "";
    } else if (letter === '"') quoted = letter;
    else if ("([{".includes(letter)) depth++;
    else if (")]}".includes(letter)) depth--;
    line += letter;
    if (letter === " " && depth > 0 && quoted === "") last = line.length;
    const own = lines.length > (comment === "" ? 0 : 1) ? `${indent}    ` : indent;
    if (own.length + line.length > width && last > 0) {
      lines.push(own + line.slice(0, last).trimEnd());
      line = line.slice(last);
      last = -1;
    }
  }
  const own = lines.length > (comment === "" ? 0 : 1) ? `${indent}    ` : indent;
  return [...lines, own + line];
}

/** A text of a user inside a docstring, where neither a backslash nor three quotation marks may stand. */
export const harmless = (text: string): string =>
  visible(text).replaceAll("\\", "/").replaceAll('"', "'");

/** Text in lines; later ones are indented. */
export function filled(text: string, indent: string = ""): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.length - 1;
    if (last >= 0 && lines[last]!.length + 1 + word.length <= width) lines[last] += ` ${word}`;
    else lines.push(last < 0 ? word : indent + word);
  }
  return lines;
}

/** The helpers that are called, with those that they need. */
export const helperLines = (used: ReadonlySet<Helper>): readonly string[] =>
  (Object.keys(helpers) as Helper[])
    .filter((name) => used.has(name))
    .flatMap((name) => [
      ...helpers[name].lines.flatMap((line) => broken(line.trimStart(), /^ */.exec(line)![0])),
      "",
    ]);

/** What is imported, and the refusal of a torch that is too old: custom operators came with 2.4. */
export const importLines = (name: string, uses: Uses): readonly string[] => [
  `import ${[...new Set([...uses.modules, "difflib", "functools", "inspect", "torch"])]
    .filter((module) => module !== "List")
    .toSorted()
    .join(", ")}`,
  ...(uses.modules.has("List") ? ["from typing import List"] : []),
  ...(uses.logsigmoid ? ["from torch.nn.functional import logsigmoid"] : []),
  'if not hasattr(torch.library, "custom_op"):',
  `    raise ImportError(f"${name} needs torch 2.4 or newer, but this is {torch.__version__}; pip install 'torch>=2.4'.")`,
];

/** The shapes of the tensors, and which of them are real numbers. */
export function shapeLines(tensors: readonly TensorArgument[]): readonly string[] {
  const byShape = new Map<string, string[]>();
  for (const { name, shape } of tensors) byShape.set(shape, [...(byShape.get(shape) ?? []), name]);
  const tables = [...byShape].map(
    ([shape, names]) =>
      `dict.fromkeys("${names.join(" ")}".split(), [${shape
        .split(", ")
        .map((axis) => `"${axis}"`)
        .join(", ")}])`,
  );
  return broken(
    `SHAPES = ${tables.length > 1 ? `(${tables.join(" | ")})` : (tables[0] ?? "{}")}`,
    "",
  );
}

/** Checks of names and shapes before the formula, and after it a flag for what is not a number. */
export function checkLines(
  tensors: readonly TensorArgument[],
  responses: readonly string[],
): readonly string[] {
  const masked = tensors.some(({ name }) => name === "mask");
  const rows = tensors.some(({ shape }) => shape.startsWith("rows"));
  const perExample = tensors.some(({ shape }) => shape === "examples");
  const whole = tensors.filter((one) => one.whole).map(({ name }) => `"${name}"`);
  const real =
    whole.length === 0
      ? "SHAPES"
      : `[name for name in SHAPES if name not in (${whole.join(", ")},)]`;
  const many = responses.length;
  const divided = [
    `        if size["rows"] % ${many}:`,
    `            raise ValueError(f"{size['rows']} rows do not fit; give as many of each: ${responses.map(wordOf).join(", then ")}.")`,
  ];
  const matched = [
    `        if size["rows"] != ${many === 1 ? "" : `${many} * `}size["examples"]:`,
    `            raise ValueError(f"{size['rows']} rows do not fit {size['examples']} examples; give ${many} for each: ${responses.map(wordOf).join(", then ")}.")`,
  ];
  const logits = tensors.find(({ shape }) => shape === "rows, tokens, vocab")?.name;
  const flag = masked ? ' + 2 * torch.any(torch.sum(given["mask"] > 0, 1) == 0)' : "";
  const strange =
    logits === undefined
      ? []
      : [`        strange = (given["ids"] < 0) | (given["ids"] >= given["${logits}"].shape[-1])`];
  const beyond = logits === undefined ? "" : ' + 4 * torch.any(strange & (given["mask"] > 0))';
  return [
    "def checked(formula):",
    '    """Refuses in a sentence what does not fit, and flags what is no number. Under torch.fx there is nothing to look at."""',
    "    known = dict(inspect.signature(formula).parameters)",
    "    @functools.wraps(formula)",
    "    def call(*args, **given):",
    "        given = {**dict(zip(known, args)), **given}",
    "        if any(isinstance(x, torch.fx.Proxy) for x in given.values()):",
    "            return formula(**given)",
    "        for name in [n for n in {**known, **given} if n not in known or n not in given and known[n].default is inspect._empty]:",
    '            near = ", ".join(difflib.get_close_matches(name, known, 1) or known)',
    '            raise TypeError(f"{name} is missing; give it." if name in known else f"there is no {name}; give {near}.")',
    "        size = {}",
    "        for name, axes in SHAPES.items():",
    "            dims = list(given[name].shape) if torch.is_tensor(given[name]) else []",
    "            if len(dims) != len(axes) or [size.setdefault(axis, n) for axis, n in zip(axes, dims)] != dims:",
    '                raise ValueError(f"{name} has the shape {dims}, but must be a tensor {axes} as the others are: {size}.")',
    ...(perExample && rows ? matched : rows && many > 1 ? divided : []),
    `        real = ${real}`,
    "        dtype = functools.reduce(torch.promote_types, [given[name].dtype for name in real], torch.float32)",
    "        loss, metrics, *state = formula(**{name: x.to(dtype) if name in real else x for name, x in given.items()})",
    ...strange,
    `        metrics["undefined"] = ~torch.isfinite(loss)${flag}${beyond}`,
    "        return loss, {name: value.detach() for name, value in metrics.items()}, *state",
    "    return call",
    "",
    "def verify(metrics):",
    '    """Raises what `undefined` flags. Call it after the step, because reading the flag waits for the device."""',
    '    if flag := int(metrics["undefined"]):',
    ...(logits === undefined
      ? []
      : [
          "        if flag > 3:",
          '            raise FloatingPointError("ids has a token outside the vocabulary on the mask; look for a wrong tokenizer.")',
        ]),
    masked
      ? '        raise FloatingPointError("a row of mask has no token; drop it." if flag > 1 else "the loss is not finite; look for NaN.")'
      : '        raise FloatingPointError("the loss is not finite; look for NaN.")',
  ].flatMap((line) => broken(line.trimStart(), /^ */.exec(line)![0]));
}
