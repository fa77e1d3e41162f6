// Draws curves over one horizontal axis as SVG: panels one below the other, each with its own vertical axis, ticks at round
// numbers, a name for each axis and, where there are several curves, for each curve.
import { escaped, place } from "../src/draw/svg.ts";

/** A curve, one value for each horizontal position. */
export interface Curve {
  readonly name: string;
  readonly values: readonly number[];
}
export interface Panel {
  /** What the vertical axis measures. */
  readonly axis: string;
  readonly curves: readonly Curve[];
}
export interface Plot {
  readonly title: string;
  /** What the horizontal axis measures. */
  readonly axis: string;
  /** Horizontal positions, ascending. */
  readonly positions: readonly number[];
  readonly panels: readonly Panel[];
}

const width = 560;
const frame = { left: 70, right: 16, top: 30, height: 150, gap: 42, bottom: 46 } as const;
const colours = ["#1f5fa8", "#b4501e"] as const;
const dashes = ["", ' stroke-dasharray="6 4"'] as const;

/** Round numbers within a range, at most seven steps of 1, 2 or 5 times a power of ten. */
export function ticks(from: number, to: number): readonly number[] {
  const least = (to - from) / 7;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= least)!;
  const [first, last] = [Math.ceil(from / step), Math.floor(to / step)];
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
}

const label = (value: number): string => String(Number(value.toPrecision(6))).replace("-", "−");

/** The range of values, widened so that no curve lies on the frame, and a constant one has a height. */
function rangeOf(curves: readonly Curve[]): readonly [from: number, to: number] {
  const values = [0, ...curves.flatMap(({ values }) => values)];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = high === low ? 1 : 0.06 * (high - low);
  return [low - margin, high + margin];
}

function drawn({ axis, curves }: Panel, positions: readonly number[], top: number): string {
  const right = width - frame.right;
  const [first, last] = [positions[0]!, positions.at(-1)!];
  const [low, high] = rangeOf(curves);
  const x = (value: number): number =>
    frame.left + ((value - first) / (last - first)) * (right - frame.left);
  const y = (value: number): number => top + ((high - value) / (high - low)) * frame.height;
  const rows = ticks(low, high).map(
    (value) =>
      `<path d="M${frame.left} ${place(y(value))}H${right}" stroke="${value === 0 ? "#888" : "#ddd"}"/>` +
      `<text x="${frame.left - 6}" y="${place(y(value) + 4)}" text-anchor="end">${label(value)}</text>`,
  );
  const columns = ticks(first, last).map(
    (value) =>
      `<path d="M${place(x(value))} ${top}V${top + frame.height}" stroke="${value === 0 ? "#888" : "#ddd"}"/>` +
      `<text x="${place(x(value))}" y="${top + frame.height + 15}" text-anchor="middle">${label(value)}</text>`,
  );
  const lines = curves.map(({ values }, index) => {
    const points = values.map((value, n) => `${place(x(positions[n]!))},${place(y(value))}`);
    return `<polyline points="${points.join(" ")}" fill="none" stroke="${colours[index]}" stroke-width="2"${dashes[index]}/>`;
  });
  const ends = [`x="${frame.left}"`, `x="${right}" text-anchor="end"`] as const;
  const names = curves.map(
    ({ name }, index) =>
      `<text ${ends[index]} y="${top - 6}" fill="${colours[index]}">${escaped(name)}${["", " (dashed)"][index]}</text>`,
  );
  const middle = top + frame.height / 2;
  return [
    ...rows,
    ...columns,
    `<rect x="${frame.left}" y="${top}" width="${right - frame.left}" height="${frame.height}" fill="none" stroke="#444"/>`,
    ...lines,
    ...(curves.length > 1 ? names : []),
    `<text transform="translate(14 ${middle}) rotate(-90)" text-anchor="middle">${escaped(axis)}</text>`,
  ].join("\n");
}

/** The SVG document of a plot. At most two curves to a panel: one drawn whole, one dashed. */
export function svg({ title, axis, positions, panels }: Plot): string {
  const top = (index: number): number => frame.top + index * (frame.height + frame.gap);
  const height = top(panels.length - 1) + frame.height + frame.bottom;
  const middle = (frame.left + width - frame.right) / 2;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#222">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${middle}" y="19" text-anchor="middle" font-size="14">${escaped(title)}</text>`,
    ...panels.map((panel, index) => drawn(panel, positions, top(index))),
    `<text x="${middle}" y="${height - 10}" text-anchor="middle">${escaped(axis)}</text>`,
    "</svg>",
  ].join("\n")}\n`;
}
