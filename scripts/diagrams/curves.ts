// The curves of docs/trainers.md: rewards/margins of a small Llama, trained by TRL's trainer, by the emitted one, and by one with a line
// changed. The numbers are recorded in scripts/diagrams/curves.json by spec/torch/trainers/curves.py.
import { readFileSync } from "node:fs";
import { place } from "../../src/draw/svg.ts";
import { colours, picture, text } from "./draw.ts";

/** Metrics by step, by what was trained. */
type Recorded = Readonly<Record<string, { readonly margins: readonly number[] }>>;

const [left, top, width, height] = [60, 50, 560, 220];
const styles = [
  { stroke: "#9db8dc", width: 6 },
  { stroke: "#1f3f77", width: 1.5 },
  { stroke: "#b3541e", width: 1.5 },
] as const;

export function curvesPicture(): string {
  const file = new URL("curves.json", import.meta.url);
  const recorded = JSON.parse(readFileSync(file, "utf8")) as Recorded;
  const curves = Object.entries(recorded).map(([name, { margins }]) => ({ name, values: margins }));
  const most = Math.ceil(Math.max(...curves.flatMap(({ values }) => values)));
  const steps = Math.max(...curves.map(({ values }) => values.length));
  const x = (step: number): number => left + (step / (steps - 1)) * width;
  const y = (value: number): number => top + height - (value / most) * height;
  const axis = `stroke="${colours.edge}" stroke-width="1"`;
  const parts = [
    text(left, 30, "rewards/margins by step", { bold: true }),
    `<path d="M${left} ${top}V${top + height}H${left + width}" fill="none" ${axis}/>`,
    ...Array.from({ length: most + 1 }, (_, value) =>
      text(left - 8, y(value) + 4, String(value), { anchor: "end", colour: colours.quiet }),
    ),
    ...[1, 10, 20, 30, 40]
      .filter((step) => step <= steps)
      .map((step) =>
        text(x(step - 1), top + height + 18, String(step), {
          anchor: "middle",
          colour: colours.quiet,
        }),
      ),
  ];
  const below = top + height + 44 + 18 * curves.length;
  curves.forEach(({ name, values }, position) => {
    const style = styles[position % styles.length]!;
    const path = values
      .map((value, step) => `${step === 0 ? "M" : "L"}${place(x(step))} ${place(y(value))}`)
      .join("");
    const line = `fill="none" stroke="${style.stroke}" stroke-width="${style.width}"`;
    const at = top + height + 44 + 18 * position;
    parts.push(
      `<path d="${path}" ${line}/>`,
      `<path d="M${left} ${at - 4}h30" ${line}/>`,
      text(left + 40, at, name),
    );
  });
  return picture("A margin over forty steps of training", left + width + 30, below, parts);
}
