// Draws curves over one horizontal axis as SVG: panels one below the other, each with its own vertical axis, ticks at round
// numbers, a name for each axis and, where there are several curves, for each curve.
import { escaped, place, widthOf, wrapped } from "./svg.ts";

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
  /** Whether curves are named once above all panels; where a panel has more than two, they are. */
  readonly legend?: boolean;
}

const width = 560;
const frame = { left: 70, right: 16, top: 30, height: 150, gap: 42, bottom: 46 } as const;
/** Told apart by people who see few colours as well; the dashes tell them apart without any. */
const colours = [
  "#1f5fa8",
  "#b4501e",
  "#2b7a3d",
  "#7a3d8f",
  "#8a6d00",
  "#c2256b",
  "#127a84",
  "#555555",
];
const dashes = ["", "6 4", "2 3", "10 3 2 3", "1 5", "14 4", "8 2 2 2 2 2"];
const colourOf = (index: number): string => colours[index % colours.length]!;
const dashOf = (index: number): string => {
  const dash = dashes[index % dashes.length]!;
  return dash === "" ? "" : ` stroke-dasharray="${dash}"`;
};
/** Curves that a panel names itself; more are named by a legend. */
const mostNamed = 2;
const legendRow = 18;

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

function drawn(
  { axis, curves: all }: { readonly axis: string; readonly curves: readonly (Curve | undefined)[] },
  positions: readonly number[],
  top: number,
  isNamed: boolean,
): string {
  const curves = all.filter((curve) => curve !== undefined);
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
  const lines = all.flatMap((curve, index) => {
    if (curve === undefined) return [];
    const { values } = curve;
    const points = values.map((value, n) => `${place(x(positions[n]!))},${place(y(value))}`);
    return `<polyline points="${points.join(" ")}" fill="none" stroke="${colourOf(index)}" stroke-width="2"${dashOf(index)}/>`;
  });
  const ends = [`x="${frame.left}"`, `x="${right}" text-anchor="end"`] as const;
  const named = curves.length > 1 && !isNamed ? curves : [];
  const names = named.map(
    ({ name }, index) =>
      `<text ${ends[index]} y="${top - 6}" fill="${colourOf(index)}">${escaped(name)}${["", " (dashed)"][index]}</text>`,
  );
  const middle = top + frame.height / 2;
  return [
    ...rows,
    ...columns,
    `<rect x="${frame.left}" y="${top}" width="${right - frame.left}" height="${frame.height}" fill="none" stroke="#444"/>`,
    ...lines,
    ...names,
    `<text transform="translate(14 ${middle}) rotate(-90)" text-anchor="middle">${escaped(axis)}</text>`,
  ].join("\n");
}

/** The names of curves with the strokes that they have, in rows; and how many rows. */
function legend(
  names: readonly string[],
  top: number,
): readonly [lines: readonly string[], rows: number] {
  const [stroke, gap] = [28, 18];
  let [x, row] = [frame.left, 0];
  const lines = names.map((name, index) => {
    const wide = stroke + 6 + widthOf(name) + gap;
    if (x > frame.left && x + wide > width - frame.right) [x, row] = [frame.left, row + 1];
    const y = top + row * legendRow;
    const [from, at] = [x, x + stroke + 6];
    x += wide;
    return (
      `<path d="M${place(from)} ${y - 4}h${stroke}" stroke="${colourOf(index)}" stroke-width="2"${dashOf(index)}/>` +
      `<text x="${place(at)}" y="${y}" fill="${colourOf(index)}">${escaped(name)}</text>`
    );
  });
  return [lines, row + 1];
}

/** The SVG document of a plot. Panels name two curves themselves; more, or the same ones in each panel, have a legend. */
export function svg({ title, axis, positions, panels, legend: isLegend = false }: Plot): string {
  const most = Math.max(...panels.map(({ curves }) => curves.length));
  const isNamed = isLegend || most > mostNamed;
  const titles = wrapped(title, width - 20, 14);
  const head = frame.top + (titles.length - 1) * legendRow;
  const named = [...new Set(panels.flatMap(({ curves }) => curves.map(({ name }) => name)))];
  const [names, rows] = isNamed ? legend(named, head + 4) : [[], 0];
  const first = head + rows * legendRow;
  // a curve has its stroke in every panel
  const ordered = panels.map((panel) => ({
    ...panel,
    curves: isNamed
      ? named.map((name) => panel.curves.find((one) => one.name === name))
      : panel.curves,
  }));
  const top = (index: number): number => first + index * (frame.height + frame.gap);
  const height = top(panels.length - 1) + frame.height + frame.bottom;
  const middle = (frame.left + width - frame.right) / 2;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#222">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...titles.map(
      (line, index) =>
        `<text x="${middle}" y="${19 + index * legendRow}" text-anchor="middle" font-size="14">${escaped(line)}</text>`,
    ),
    ...names,
    ...ordered.map((panel, index) => drawn(panel, positions, top(index), isNamed)),
    `<text x="${middle}" y="${height - 10}" text-anchor="middle">${escaped(axis)}</text>`,
    "</svg>",
  ].join("\n")}\n`;
}
