// A drawn batch as code that makes it again, ready to be pasted into a test.

import type { Batch } from "../batch/batch.ts";
import { numbersIn, vocabOf } from "../batch/logits.ts";
import { isList, listOfRows, ownName, rowsOfList } from "../core/axis.ts";
import type { Input } from "../core/node.ts";

/** More numbers than this are not printed; the seed makes them again. */
const mostNumbers = 4000;

const list = (values: ArrayLike<number>): string => `[${Array.from(values, String).join(", ")}]`;
const key = (name: string): string => (/^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name));

/** The logits that the tokens of a response read, row by row. */
function logitsText(batch: Batch, name: string): string {
  const binding = batch.inputs[name]!;
  if (binding.height !== "logits") return "";
  const width = vocabOf(binding.tensor, batch);
  const numbers = numbersIn(binding.tensor)!;
  const rows = Array.from(binding.rowIndex, (row) =>
    list(numbers.subarray(row * width, (row + 1) * width)),
  );
  return `[${rows.join(", ")}]`;
}

/** Code that makes a batch of what an objective reads; null where it would be too long to be of use. */
export function batchCode(batch: Batch, inputs: readonly Input[]): string | null {
  const parts = new Map<string, string[]>();
  const examples: string[] = [];
  for (const [name, { labels, offsets }] of Object.entries(batch.responses)) {
    if (listOfRows(name) !== null) continue;
    const owners = Array.from({ length: offsets.length - 1 }, (_, owner) =>
      list(labels.subarray(offsets[owner], offsets[owner + 1])),
    );
    const rows = isList(name) ? batch.responses[rowsOfList(name)]!.offsets : null;
    const lists =
      rows === null
        ? owners
        : Array.from(
            { length: batch.examples },
            (_, b) => `[${owners.slice(rows[b], rows[b + 1]).join(", ")}]`,
          );
    parts.set(name, [`labels: [${lists.join(", ")}]`]);
  }
  const tokens = new Map<string, string[]>();
  const each = new Map<string, string[]>();
  let count = 0;
  for (const { datum, name } of inputs) {
    const binding = Object.hasOwn(batch.inputs, name) ? batch.inputs[name] : undefined;
    if (binding === undefined) continue;
    count +=
      binding.height === "logits" ? binding.rowIndex.length * batch.vocab : binding.values.length;
    if (count > mostNumbers) return null;
    const values = binding.height === "logits" ? logitsText(batch, name) : list(binding.values);
    switch (datum.kind) {
      case "logits":
      case "logp":
      case "logps":
        parts.get(datum.response)?.push(`${datum.model}_${datum.kind}: ${values}`);
        break;
      case "reward":
        parts.get(datum.response)?.push(`reward: ${values}`);
        break;
      case "each":
        each.set(datum.response, [
          ...(each.get(datum.response) ?? []),
          `${key(datum.name)}: ${values}`,
        ]);
        break;
      case "tokens":
        tokens.set(datum.response, [
          ...(tokens.get(datum.response) ?? []),
          `${key(datum.name)}: ${values}`,
        ]);
        break;
      case "example":
        examples.push(`${key(datum.name)}: ${values}`);
        break;
      default:
        return null;
    }
  }
  for (const [response, given] of tokens)
    parts.get(response)?.push(`tokens: { ${given.join(", ")} }`);
  for (const [response, given] of each) parts.get(response)?.push(`each: { ${given.join(", ")} }`);
  const responses = [...parts].map(([name, fields]) =>
    [`    ${key(ownName(name))}: {`, ...fields.map((field) => `      ${field},`), "    },"].join(
      "\n",
    ),
  );
  const options = [
    `vocab_size: ${batch.vocab}`,
    ...(examples.length > 0 ? [`examples: { ${examples.join(", ")} }`] : []),
  ];
  return [
    'import { fromResponses } from "prefc";',
    "",
    "export const batch = fromResponses(",
    "  {",
    ...responses,
    "  },",
    `  { ${options.join(", ")} },`,
    ");",
  ].join("\n");
}
