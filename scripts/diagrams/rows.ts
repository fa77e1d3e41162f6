// How the logits of a TRL trainer, [2B, T, V], become rows: which cells of a batch are read, and for which token. The batch
// of the tutorial is drawn, as `fromTrl` reads it.
import { fromTrl } from "../../src/index.ts";
import { arrow, colours, picture, text } from "./draw.ts";

const [sequences, length, vocab] = [4, 6, 100] as const;
const ids = [
  [5, 8, 61, 7, 2, 0],
  [5, 9, 33, 2, 0, 0],
  [5, 8, 14, 2, 0, 0],
  [5, 9, 71, 90, 11, 2],
] as const;
const completion = [
  [0, 0, 1, 1, 1, 0],
  [0, 0, 1, 1, 0, 0],
  [0, 0, 1, 1, 0, 0],
  [0, 0, 1, 1, 1, 1],
] as const;

export interface Row {
  readonly response: string;
  readonly example: number;
  readonly label: number;
  /** Sequence and position of the logits. */
  readonly sequence: number;
  readonly position: number;
}

/** The rows of the batch, in the order of their tokens. */
export function rows(): readonly Row[] {
  const logits = new Float32Array(sequences * length * vocab);
  const batch = fromTrl({
    input_ids: ids,
    completion_mask: completion,
    policy_logits: logits,
    ref_logits: logits,
    shape: [sequences, length, vocab],
  });
  return Object.entries(batch.responses).flatMap(([response, { offsets, labels }]) => {
    const binding = batch.inputs[`policy.logits.${response}`];
    if (binding?.height !== "logits") throw new Error("the batch of the picture has no logits");
    return Array.from(labels, (label, token) => {
      const row = binding.rowIndex[token]!;
      const example = offsets.findIndex((from, b) => from <= token && token < offsets[b + 1]!);
      return {
        response,
        example,
        label,
        sequence: Math.floor(row / length),
        position: row % length,
      };
    });
  });
}

const width = 760;
const cell = 40;
const [left, top] = [130, 70];
const fills: Readonly<Record<string, string>> = { w: "#dbe8f7", l: "#fae3cc" };

export function rowsPicture(): string {
  const all = rows();
  const parts: string[] = [];
  for (let t = 0; t < length; t++)
    parts.push(text(left + cell * (t + 0.5), top - 8, `t = ${t}`, { anchor: "middle", size: 11 }));
  ids.forEach((sequence, s) => {
    const name = `${s < sequences / 2 ? "chosen" : "rejected"}, example ${s % (sequences / 2)}`;
    parts.push(text(left - 8, top + cell * (s + 0.5) + 4, name, { anchor: "end", size: 11 }));
    sequence.forEach((id, t) => {
      const own = all.find((row) => row.sequence === s && row.position === t);
      const fill = own === undefined ? colours.plain : fills[own.response]!;
      const colour = completion[s]![t] === 1 ? colours.ink : colours.edge;
      parts.push(
        `<rect x="${left + cell * t}" y="${top + cell * s}" width="${cell}" height="${cell}" fill="${fill}" stroke="${colours.edge}"/>`,
        text(left + cell * (t + 0.5), top + cell * (s + 0.5) + 4, String(id), {
          anchor: "middle",
          colour,
        }),
      );
    });
  });
  const start = left + cell * length + 80;
  const step = 15;
  parts.push(
    arrow([
      [left + cell * length + 10, top + cell * 2],
      [start - 14, top + cell * 2],
    ]),
  );
  all.forEach(({ response, example, label, sequence, position }, n) => {
    const y = top + step * n + (response === "l" ? 12 : 0);
    parts.push(
      `<rect x="${start}" y="${y - 11}" width="270" height="${step}" fill="${fills[response]!}"/>`,
      text(
        start + 6,
        y,
        `${response}, example ${example}: logits [${sequence}, ${position}] predict ${label}`,
        { size: 11 },
      ),
    );
  });
  const bottom = top + Math.max(cell * sequences, step * all.length + 12) + 24;
  return picture("TRL's logits as rows", width, bottom + 30, [
    text(
      20,
      24,
      "TRL's logits [2B, T, V] as rows: a row holds the V logits that predict one token",
      {
        size: 14,
      },
    ),
    text(20, 44, "The numbers are input_ids; those in grey are prompt or padding.", {
      colour: colours.quiet,
    }),
    ...parts,
    text(
      20,
      bottom,
      "Coloured cells are read, and have a gradient. All other cells are not read; their gradient is zero.",
      {
        colour: colours.quiet,
      },
    ),
    text(
      20,
      bottom + 18,
      "The tokens of an example follow each other, so its rows are one range of offsets.",
      {
        colour: colours.quiet,
      },
    ),
  ]);
}
