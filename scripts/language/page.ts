// The page of the language, docs/language.md: every word with what it means, where it is defined, its derivative, a formula
// that runs, and the loss of that formula on one small batch. All of it comes from the code.

import { binary, param, unary } from "../../src/core/build.ts";
import { printExpression } from "../../src/core/infix.ts";
import type { Node } from "../../src/core/node.ts";
import type { Domain } from "../../src/core/operators/row.ts";
import { binaryOps, unaryOps, type BinaryOp, type UnaryOp } from "../../src/core/ops.ts";
import { nodes } from "../../src/core/smart.ts";
import { evaluate, fromResponses, list, objective, type Batch } from "../../src/index.ts";
import type { Tensor } from "../../src/reference/tensor.ts";
import { simplify } from "../../src/rewrite/simplify.ts";
import { tables, type Example, type Table } from "./examples.ts";
import { comments, formulas } from "./says.ts";

/** Two pairs over a vocabulary of four tokens: what all examples of the page are computed on. */
export const smallBatch = (): Batch =>
  fromResponses(
    {
      w: {
        labels: [[2, 0], [1]],
        policy_logits: [0, 1, 2, -1, 1.5, 0, 0.5, 0, 0, 2, 0, 1],
        ref_logits: [0, 1, 1, 0, 1, 0, 0, 0, 0, 1, 0, 1],
        tokens: { mask: [1, 0, 1] },
        reward: [1, 0.25],
      },
      l: {
        labels: [[3], [1, 0]],
        policy_logits: [0, 1, 0, 1, 0, 0, 0, 0.5, 1, 2, 0, 0],
        ref_logits: [0, 0, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0],
        reward: [0.5, -0.5],
      },
      y: {
        labels: [
          [[2], [0, 1], [3]],
          [[1], [0]],
        ],
        policy_logits: [1, 0, 2, 0, 1, 0, 0, 1, 0, 2, 1, 0, 0, 0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 0],
        each: { advantage: [1, -0.5, 0.5, 1, -1] },
      },
      "w.prompt": {
        labels: [[3], [0]],
        policy_logits: [0, 0, 0, 2, 1, 0, 0, 0],
        ref_logits: [0, 0, 0, 1, 1, 0, 0, 0],
      },
    },
    { vocab_size: 4, examples: { weight: [1, 0.5], desirable: [1, 0] } },
  );

const batch = smallBatch();

/** What an example is an objective over. */
export const responses: readonly ["w", "l", "y[]"] = ["w", "l", list("y")];

/** The loss of an example: the mean over the two pairs where it is one number per pair. */
export function lossOf(formula: Example): number {
  const { loss } = objective("example", responses, formula, { source: "docs/language.md" });
  const [{ data }] = evaluate([loss], batch, {}) as readonly [Tensor];
  return Array.from(data).reduce((sum, one) => sum + one, 0) / data.length;
}

const spelled = (x: number): string => String(Number(x.toPrecision(4)));

/** Where an operand may lie, in words of mathematics. */
function domainText({ from, above, to, below, except }: Domain): string {
  const low = from === undefined ? (above === undefined ? "" : `> ${above}`) : `≥ ${from}`;
  const high = to === undefined ? (below === undefined ? "" : `< ${below}`) : `≤ ${to}`;
  const without = except === undefined ? "" : `≠ ${except}`;
  return [low, high, without].filter((part) => part !== "").join(", ");
}

const x = param("x");
const [a, b] = [param("a"), param("b")];

const printed = (roots: readonly Node[]): string =>
  simplify(roots)
    .roots.map((root) => `\`${printExpression(root)}\``)
    .join(", ");

const unaryDerivative = (op: UnaryOp): string => {
  const { derivative } = unaryOps[op];
  return derivative === null ? "none" : printed([derivative(nodes, x, unary(op, x))]);
};
const binaryDerivative = (op: BinaryOp): string => {
  const { derivative } = binaryOps[op];
  return derivative === null ? "none" : printed([...derivative(nodes, a, b, binary(op, a, b))]);
};

const isUnary = (op: string): op is UnaryOp => Object.hasOwn(unaryOps, op);
const isBinary = (op: string): op is BinaryOp => Object.hasOwn(binaryOps, op);

/** The row of a table: cells apart, bars escaped. */
const row = (...cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
const head = (...cells: readonly string[]): string =>
  `${row(...cells)}\n${row(...cells.map(() => "---"))}`;

/** The page as it stands in docs/language.md. */
export function languagePage(): string {
  const root = new URL("../../", import.meta.url);
  const says = comments([new URL("src/dsl/", root), new URL("src/objectives/", root)]);
  const texts = formulas(new URL("scripts/language/examples.ts", root));
  const shown = (table: Table, name: string): readonly [string, string] => {
    const formula = tables[table][name]!;
    return [`\`${texts.get(`${table}.${name}`)}\``, spelled(lossOf(formula))];
  };
  const meaning = (...names: readonly string[]): string =>
    names.map((name) => says.get(name)).find((text) => text !== undefined) ?? "";
  const plainRows = (table: Table, places: readonly string[] = []): string =>
    Object.keys(tables[table])
      .map((name) => {
        const own = name.split(".").at(-1)!;
        const from = places.map((place) => `${place}.${own}`);
        return row(`\`${name}\``, meaning(...from, own), ...shown(table, name));
      })
      .join("\n");
  const operatorRow = (table: Table, name: string): string => {
    if (isUnary(name)) {
      const { says: text, domain } = unaryOps[name];
      const isMethod = table === "methods";
      return row(
        isMethod ? `\`a.${name}()\`` : `\`${name}(x)\``,
        text ?? `${name} a`,
        domainText(domain) || "any",
        unaryDerivative(name),
        ...shown(table, name),
      );
    }
    if (!isBinary(name)) throw new Error(`${name} is no operator`);
    const { says: text, domain, infix } = binaryOps[name];
    const [left, right] = domain.map(domainText);
    const where = [left === "" ? "" : `a ${left}`, right === "" ? "" : `b ${right}`];
    return row(
      infix === undefined ? `\`${name}(a, b)\`` : `\`a.${name}(b)\``,
      text ?? `a ${infix?.symbol} b`,
      where.filter((part) => part !== "").join(", ") || "any",
      binaryDerivative(name),
      ...shown(table, name),
    );
  };
  const operatorRows = (table: Table): string =>
    Object.keys(tables[table])
      .map((name) => operatorRow(table, name))
      .join("\n");
  const plainHead = head("word", "meaning", "example", "loss");
  const operatorHead = head("word", "meaning", "domain", "derivative", "example", "loss");

  return `# The language

Written by \`npm run language\` from the code: the rows of the operators, the comments of the source, and formulas that were run.

An objective is a function from what it is given to a loss. An expression is a number for each index of its axes. The axes are
\`batch\` (examples), \`token\` (completion tokens of one response), \`vocab\` (entries of the vocabulary), and
\`response\` and \`other\` (responses of a list, and the same ones once more). Two expressions combine where their axes agree, and one of fewer axes fits wherever more are expected. A token of one response never meets a token
of another: TypeScript underlines it, and JavaScript ends in a sentence. The loss has one number per example, whose mean over the
batch is taken, or one number for the whole batch.

\`\`\`ts
import { logSigmoid, neg, objective, param } from "prefc";

export const own = objective(
  "own",
  ["w", "l"],
  ({ policy, ref, y }) => {
    const chosen = policy.logps(y.w).minus(ref.logps(y.w));
    const rejected = policy.logps(y.l).minus(ref.logps(y.l));
    return neg(logSigmoid(chosen.minus(rejected).times(param("beta", 0.1))));
  },
  { source: "Rafailov et al. 2023, eq. 7" },
);
\`\`\`

Each example below is the body of such a formula. Its loss is that of the interpreter on one batch of two pairs over four tokens.
Where \`g\` stands, it is all that the formula is given. [Inputs](inputs.md) says how each kind of data gets into a batch, and
[the ends of domains](undefined.md) and [kinks](kinks.md) say what functions mean where they have no value or no slope.

## What a formula is given

${head("word", "meaning", "example", "loss")}
${plainRows("given", ["Model", "Response", "Usual"])}

The word \`ref\` is the reference, a model as \`policy\` is. Further models are declared: \`{ models: ["teacher"] }\`.

## At each index

These keep the axes of their operands.

${operatorHead}
${operatorRows("elementwise")}

## Between two values

These are methods of an expression. The other operand is an expression or a plain number. A condition is neither true nor false
in JavaScript: write \`where(condition, …)\`, never \`condition ? … : …\`.

${operatorHead}
${operatorRows("methods")}

## Choices, bounds and conversions

${plainHead}
${plainRows("choices")}

## Along an axis

The axis comes first. It leaves the expression, except in \`logSoftmax\`. The axis \`"token"\` is that of the one response that
the expression ranges over.

${plainHead}
${plainRows("along")}

## Across the batch

These take one number per example, and couple the examples of a batch.

${plainHead}
${plainRows("across")}

## Lists of responses

An example may have any number of a response: \`objective("own", ["w", list("y")], …)\`. The list is found as \`y.y\`. What is said
of it ranges over \`"response"\` as well, so \`policy.logps(y.y)\` has one number per response. The number of responses may differ
from example to example. Reductions end the axis. A prompt's responses come in the order in
which the batch has them. A pair of responses ranges over \`"response"\` and \`"other"\`; kernels loop over the pairs of an
example, and memory holds none of them. [Batches](batches.md) says how lists are given.

${plainHead}
${plainRows("lists", ["ListResponse", "Usual"])}

## Numbers and names

${plainHead}
${plainRows("numbers")}

The word \`state("mean", 0)\` is a number that one step leaves for the next. The formula returns its next value beside the loss:
\`{ loss, next: { mean } }\` ([note 0007](notes/0007-state.md)).

## Terms that papers share

${plainHead}
${plainRows("terms")}
`;
}
