// Which logits need their maximum itself. A running pass accumulates about a reference point.
// No logit exceeds that point by much, and it is raised far less often than a maximum would be. It serves sums of
// exponentials as well as the maximum does. It equals the label's logit exactly where that logit is the maximum. So a
// comparison of the label with the maximum needs no exact maximum. Any other use of a maximum needs one.

import { topological, type Node } from "../core/node.ts";
import { logitsOfInput, type Logits } from "./fields.ts";
import { isLabel } from "./settle.ts";

export const maximumKey = ({ model, response }: Logits): string => `${model} ${response}`;

const isMaximum = (node: Node): boolean =>
  node.tag === "reduce" && node.op === "max" && node.axis === "vocab";

/** Whether a node compares the maximum of an expression with the same expression at the label. */
function comparesLabel(node: Node, maximum: Node): boolean {
  const other = node.args.find((arg) => arg !== maximum);
  return (
    node.dtype === "bool" &&
    node.args.length === 2 &&
    other?.tag === "at" &&
    other.axis === "vocab" &&
    other.args[0] === maximum.args[0] &&
    isLabel(other.args[1])
  );
}

/** Keys of the logits whose maxima are read, in what any of the roots is made of. */
export function exactMaxima(roots: readonly Node[]): ReadonlySet<string> {
  const read = [
    ...roots.filter(isMaximum),
    ...topological(roots).flatMap((node) =>
      node.args.filter((arg) => isMaximum(arg) && !comparesLabel(node, arg)),
    ),
  ];
  const logits = topological(read.flatMap(({ args }) => args)).flatMap(
    (node) => logitsOfInput(node) ?? [],
  );
  return new Set(logits.map(maximumKey));
}
