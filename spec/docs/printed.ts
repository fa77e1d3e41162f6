// What the compiler prints of the running example at each of its levels: the text of the markers in docs/how-it-works.md.
import { printExpression } from "../../src/core/infix.ts";
import { logpFromLogits } from "../../src/core/inputs.ts";
import { topological, type Node } from "../../src/core/node.ts";
import { print } from "../../src/core/print.ts";
import { explanationText } from "../../src/explain/text.ts";
import { compile } from "../../src/index.ts";
import { simplify } from "../../src/rewrite/simplify.ts";
import { derive } from "../../src/stream/derive.ts";
import { describeField } from "../../src/stream/fields.ts";
import { example } from "./example.ts";
import { excerpt } from "./excerpt.ts";

/** A schedule that is easy to read: one logit at a time. It changes the order of additions and nothing else. */
const plain = { rowLanes: 32, vector: 1, unroll: 1, programLanes: 32 } as const;
const shape = { rows: 256, vocab: 128_256 } as const;
const width = 100;

/** Breaks a long line at spaces; what continues is indented. */
function wrapped(line: string): string {
  const lines = [""];
  for (const word of line.split(" ")) {
    const last = lines.at(-1)!;
    if (last !== "" && `${last} ${word}`.length > width) lines.push(`    ${word}`);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines.join("\n");
}

/** log Σ_v π(v)², the average of whose difference from log π(y_t) the weight of a response is made of. */
function alignmentOf(loss: Node): Node {
  const found = topological([loss]).find((node) => node.tag === "unary" && node.op === "log");
  if (found === undefined) throw new Error("the example has no logarithm");
  return found;
}

/** The text of every marker of docs/how-it-works.md. */
export function levels(): Readonly<Record<string, string>> {
  const compiled = compile(example, { schedule: plain });
  const { program } = compiled;
  const alignment = alignmentOf(program.loss);
  const [simplified] = simplify([alignment]).roots as readonly [Node];
  const logp = logpFromLogits("policy", "w");
  const { rows } = derive([logp, simplified], []);
  const { stages } = program.valueAndGrad;
  const kernel = (index: number): string =>
    compiled.plan("valueAndGrad", shape.vocab).steps.at(index)!.wgsl;
  const explanation = explanationText(compiled.explain(shape));
  return {
    core: print({ alignment }),
    simplified: print({ alignment: simplified }),
    gradient: wrapped(printExpression(program.gradients[0]!.node)),
    fields: stages.passes
      .map((pass) => {
        const left = pass.kind === "online" ? pass.fields.map(describeField) : ["a reduction"];
        return [
          `one read of the ${pass.models.join(" and ")} logits leaves, for each row:`,
          ...left.map((field) => `    ${field}`),
        ].join("\n");
      })
      .join("\n"),
    rows: [
      `log π(y_t)    = ${printExpression(rows[0]!)}`,
      `alignment     = ${printExpression(rows[1]!)}`,
    ].join("\n"),
    loop: excerpt(kernel(0), /for \(var (chunk|start)/, /^ {2}\}/),
    finish: excerpt(kernel(0), /let x_label/, /rows\[.*z_label_policy;/),
    backward: excerpt(kernel(-1), /let label =/, /^ {2}\}/),
    plan: excerpt(explanation, /^value and gradient/, /^ {2}extra passes/),
  };
}
