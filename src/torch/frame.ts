// The file around a formula: its header, what it imports, and the checks that turn what does not fit into a sentence. The
// checks are the same text in every file; they run outside of torch.fx, which has no shapes to look at.

import { visible } from "../core/quote.ts";
import { helpers, type Helper } from "./helpers.ts";
import type { TensorArgument } from "./tensors.ts";
import type { Uses } from "./formula.ts";
import { wordOf } from "./names.ts";

/** Columns of a line of code, and of text. */
const width = 119;

/** Where a statement may be broken: after spaces inside brackets, with how deep that is inside them. */
function breaks(code: string): readonly { readonly at: number; readonly depth: number }[] {
  const found: { at: number; depth: number }[] = [];
  // between a key and its value, or beside an operator, is half a step further inside than after a comma
  const inside = (at: number): number => (code[at - 1] === "," ? 0 : 0.5);
  let [depth, quoted] = [0, ""];
  for (let at = 0; at < code.length; at++) {
    const letter = code[at]!;
    if (quoted !== "") quoted = letter === quoted ? "" : quoted;
    else if (letter === '"') quoted = letter;
    else if ("([{".includes(letter)) depth++;
    else if (")]}".includes(letter)) depth--;
    else if (letter === " " && depth > 0) found.push({ at: at + 1, depth: depth + inside(at) });
  }
  return found;
}

/** A statement in lines, broken inside brackets where Python lets it go on: as far outside, and then as late, as may be. */
export function broken(text: string, indent: string): readonly string[] {
  if (indent.length + text.length <= width) return [indent + text];
  const code = text.split("  # ")[0]!;
  const comment = text.slice(code.length).replace(/^ {2}/, "");
  const lines: string[] = comment === "" ? [] : [indent + comment];
  let [from, own] = [0, indent];
  while (own.length + code.length - from > width) {
    const within = breaks(code).filter(
      ({ at }) => at > from && own.length + at - 1 - from <= width && at - from > width / 3,
    );
    const least = Math.min(...within.map(({ depth }) => depth));
    const at = within.findLast(({ depth }) => depth === least)?.at;
    if (at === undefined) break;
    lines.push(own + code.slice(from, at).trimEnd());
    [from, own] = [at, `${indent}    `];
  }
  return [...lines, own + code.slice(from)];
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
  totals: readonly string[],
  remedy: string,
): readonly string[] {
  const masked = tensors.some(({ name }) => name === "mask");
  const logits = tensors.find(({ shape }) => shape.includes("vocab"))?.name;
  const perExample = tensors.some(({ shape }) => shape === "examples");
  const inRows = tensors.some(({ shape }) => shape.startsWith("rows"));
  const many = responses.length;
  const order = responses.map(wordOf).join(", then ");
  const left = tensors.filter(({ whole }) => whole).map(({ name }) => `"${name}"`);
  const isReal =
    left.length === 1
      ? ` if n != ${left[0]}`
      : left.length === 0
        ? ""
        : ` if n not in (${left.join(", ")})`;
  const divided = inRows && !perExample && many > 1;
  const unfit = divided ? ` or size["rows"] % ${many}` : "";
  const need = divided ? `; give rows ${order}` : "";
  // the rows of every response are as many as the examples
  const matched = !(inRows && perExample)
    ? []
    : [
        `        if size["rows"] != ${many === 1 ? "" : `${many} * `}size["examples"]:`,
        `            raise ValueError(f"{size['rows']} rows do not fit {size['examples']} examples; give for each {ORDER}.")`.replace(
          "{ORDER}",
          order,
        ),
      ];
  // those of a part of the batch and of the whole of it do not go together
  const all = totals.map((name) => `"${name}"`).join(", ");
  const together =
    totals.length < 2
      ? []
      : [
          `        if 0 < len(given.keys() & {${all}}) < ${totals.length}:`,
          `            raise TypeError("${totals.join(", ")}: give all of them, or none.")`,
        ];
  return [
    "def checked(formula):  # refuses in a sentence what does not fit; under torch.fx there is nothing to look at",
    "    own = dict(inspect.signature(formula).parameters)",
    "    @functools.wraps(formula)",
    "    def call(*args, **given):",
    "        given, size = {**dict(zip(own, args)), **given}, {}",
    "        if any(isinstance(x, torch.fx.Proxy) for x in given.values()):",
    "            return formula(**given)",
    "        for name in [n for n in own | given if n not in own or n not in given and own[n].default is inspect._empty]:",
    '            near = ", ".join(difflib.get_close_matches(name, own, 1) or own)',
    '            raise TypeError(f"{name} is missing; give it." if name in own else f"there is no {name}; give {near}.")',
    ...together,
    "        for n, axes in SHAPES.items():",
    "            dims = list(given[n].shape) if torch.is_tensor(given[n]) else []",
    `            if [size.setdefault(*x) for x in zip(axes, dims)] != dims or len(dims) < len(axes)${unfit}:`,
    `                raise ValueError(f"{n} has the shape {dims}, not {axes} with {size}${need}.")`,
    ...matched,
    `        dtype = functools.reduce(torch.promote_types, [given[n].dtype for n in SHAPES${isReal}], torch.float32)`,
    `        loss, metrics, *state = formula(**given | {n: given[n].to(dtype) for n in SHAPES${isReal}})`,
    "        return loss, {n: x.detach() for n, x in metrics.items()}, *state",
    "    return call",
    "",
    "def verify(metrics):  # raises what a step has flagged; to be called after it, as to read a flag waits for the device",
    '    if flag := int(metrics["undefined"]):',
    ...(logits === undefined
      ? []
      : [
          "        if flag > 3:",
          '            raise FloatingPointError("ids: one on the mask is outside the vocabulary; look for a wrong tokenizer.")',
        ]),
    masked
      ? `        raise FloatingPointError("mask: a row is empty; drop it." if flag > 1 else "loss: not finite; ${remedy}.")`
      : `        raise FloatingPointError("loss: not finite; ${remedy}.")`,
  ].flatMap((line) => broken(line.trimStart(), /^ */.exec(line)![0]));
}
