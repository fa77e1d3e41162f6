// The roofline picture as SVG, both axes logarithmic: entries of logits visited per byte moved against entries visited per
// second. Memory is a slanted roof (reading, and copying), exponentials are a flat one, as every entry costs at least one;
// a point near the lower of its roofs is as fast as the adapter can be. Colours are objectives, shapes are providers.

import { escaped, place, widthOf, wrapped } from "../draw/svg.ts";
import type { Line } from "./line.ts";

const plot = { width: 414, height: 352, left: 76, bottom: 62 } as const;
const leading = 18;
const legendGap = 8;

const colours = ["#1f5fa8", "#b4501e", "#3a7d34", "#7a4aa0", "#a08a1e", "#555555"] as const;
const shapes = ["circle", "square", "diamond", "triangle", "bar"] as const;
type Shape = (typeof shapes)[number];

const number = (value: number): string => String(Number(value.toPrecision(3)));

/** 1, 2 and 5 times powers of ten within a range. */
export function logTicks(from: number, to: number): readonly number[] {
  const made: number[] = [];
  for (let power = Math.floor(Math.log10(from)); power <= Math.ceil(Math.log10(to)); power++)
    for (const factor of [1, 2, 5]) made.push(factor * 10 ** power);
  return made.filter((value) => value >= from && value <= to);
}

interface Point {
  readonly intensity: number;
  readonly rate: number;
  readonly line: Line;
}

/** Only what the GPU's own clock timed and what moves logits has a place. */
const pointsOf = (lines: readonly Line[]): readonly Point[] =>
  lines.flatMap((line) =>
    line.clock === "gpu" && line.bytes !== null && line.entries !== null && line.entries > 0
      ? [{ intensity: line.entries / line.bytes, rate: line.entries / line.ms_median / 1e6, line }]
      : [],
  );

/** A provider, and how its logits are stored where that is not f32. */
const providerOf = ({ provider, dtype }: Line): string =>
  dtype === "f32" ? provider : `${provider}, ${dtype}`;

const best = (lines: readonly Line[], provider: string): number =>
  Math.max(0, ...lines.flatMap((line) => (line.provider === provider ? [line.gb_s] : [])));

/** A position on a logarithmic axis from `from` to `to`, as a share of its length. */
const share = (value: number, from: number, to: number): number =>
  Math.log(value / from) / Math.log(to / from);

interface Roofs {
  /** The fastest reading and copying that was measured, in GB/s; 0 where it was not. */
  readonly read: number;
  readonly copy: number;
  /** Exponentials in 10^9 a second, or null where they were not measured. */
  readonly flat: number | null;
}
interface Key {
  readonly sign: (x: number, y: number) => string;
  readonly text: string;
}

/** `exponentials` per second, or null where they were not measured. Rates are in 10^9 entries a second. */
export function roofline(lines: readonly Line[], exponentials: number | null): string {
  const points = pointsOf(lines).filter(({ line }) => !line.provider.startsWith("ceiling-"));
  const roofs: Roofs = {
    read: best(lines, "ceiling-read"),
    copy: best(lines, "ceiling-copy"),
    flat: exponentials === null ? null : exponentials / 1e9,
  };
  const [first] = points;
  const objectives = [...new Set(points.map(({ line }) => line.objective))];
  const providers = [...new Set(points.map(({ line }) => providerOf(line)))];
  const colourOf = (name: string): string => colours[objectives.indexOf(name) % colours.length]!;
  const shapeOf = (name: string): Shape => shapes[providers.indexOf(name) % shapes.length]!;
  const keys: readonly Key[] = [
    ...objectives.map((text) => ({
      sign: (x: number, y: number) =>
        `<circle cx="${x}" cy="${y}" r="6" fill="${colourOf(text)}"/>`,
      text,
    })),
    ...providers.map((text) => ({
      sign: (x: number, y: number) => mark("#222", shapeOf(text), x, y, text),
      text,
    })),
    ...roofKeys(roofs),
  ];

  const right = plot.left + plot.width;
  const width = right + 40 + Math.max(150, ...keys.map(({ text }) => widthOf(text)));
  const title = "Entries of logits per byte and per second";
  const under =
    first === undefined
      ? []
      : wrapped(`${first.line.device}; commit ${first.line.commit}`, width - plot.left - 8);
  const top = 32 + 16 * under.length;
  const height = Math.max(
    top + plot.height + plot.bottom,
    top + 2 * legendGap + leading * keys.length,
  );
  const bottom = height - plot.bottom;
  const head = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#222">`,
    `<title>${title}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${plot.left}" y="18" font-size="14">${title}</text>`,
    ...under.map(
      (text, n) => `<text x="${plot.left}" y="${35 + 16 * n}" fill="#555">${escaped(text)}</text>`,
    ),
  ];
  if (first === undefined)
    return `${[...head, `<text x="${plot.left}" y="60">Nothing was timed by the GPU.</text>`, "</svg>"].join("\n")}\n`;

  const intensities = points.map(({ intensity }) => intensity);
  const [least, most] = [Math.min(...intensities) / 1.6, Math.max(...intensities) * 1.6];
  const [low, high] = heightsOf(points, roofs, least, most);
  const x = (value: number): number => plot.left + share(value, least, most) * plot.width;
  const y = (value: number): number => bottom - share(value, low, high) * (bottom - top);
  const grid = [
    ...logTicks(least, most).map(
      (value) =>
        `<path d="M${place(x(value))} ${top}V${bottom}" stroke="#e4e4e4"/><text x="${place(x(value))}" y="${bottom + 16}" text-anchor="middle">${number(value)}</text>`,
    ),
    ...logTicks(low, high).map(
      (value) =>
        `<path d="M${plot.left} ${place(y(value))}H${right}" stroke="#e4e4e4"/><text x="${plot.left - 6}" y="${place(y(value) + 4)}" text-anchor="end">${number(value)}</text>`,
    ),
  ];
  const slanted = (rate: number, dash: string): string =>
    `<path d="M${place(x(least))} ${place(y(least * rate))}L${place(x(most))} ${place(y(most * rate))}" stroke="#222" fill="none"${dash}/>`;
  const drawnRoofs = [
    ...(roofs.read > 0 ? [slanted(roofs.read, dashes.read)] : []),
    ...(roofs.copy > 0 ? [slanted(roofs.copy, dashes.copy)] : []),
    ...(roofs.flat === null
      ? []
      : [`<path d="M${plot.left} ${place(y(roofs.flat))}H${right}" stroke="#222"${dashes.flat}/>`]),
  ];
  const marks = points.map(({ intensity, rate, line }) => {
    const told = `${line.objective}, ${line.provider}, ${line.direction}, ${line.section}: ${number(rate)} · 10⁹ entries/s, ${number(line.gb_s)} GB/s`;
    return mark(colourOf(line.objective), shapeOf(providerOf(line)), x(intensity), y(rate), told);
  });
  const legend = keys.map(({ sign, text }, index) => {
    const middle = top + legendGap + leading * index;
    return `${sign(right + 16, middle)}<text x="${right + 30}" y="${middle + 4}">${escaped(text)}</text>`;
  });
  const centre = plot.left + plot.width / 2;
  return `${[
    ...head,
    ...grid,
    ...drawnRoofs,
    `<rect x="${plot.left}" y="${top}" width="${plot.width}" height="${bottom - top}" fill="none" stroke="#444"/>`,
    ...marks,
    ...legend,
    `<text x="${centre}" y="${height - 26}" text-anchor="middle">entries visited per byte moved</text>`,
    `<text x="${centre}" y="${height - 10}" text-anchor="middle" fill="#555">f32: forward 0.25, backward 0.125; half as many bytes for f16 and bf16</text>`,
    `<text transform="translate(16 ${(top + bottom) / 2}) rotate(-90)" text-anchor="middle">10⁹ entries per second</text>`,
    "</svg>",
  ].join("\n")}\n`;
}

/** From the lowest to the highest rate that has to be seen, with a margin. */
function heightsOf(
  points: readonly Point[],
  { read, copy, flat }: Roofs,
  least: number,
  most: number,
): readonly [low: number, high: number] {
  const slopes = [read, copy].filter((rate) => rate > 0);
  const seen = [
    ...points.map(({ rate }) => rate),
    ...slopes.flatMap((rate) => [least * rate, most * rate]),
    ...(flat === null ? [] : [flat]),
  ];
  return [Math.min(...seen) / 1.5, Math.max(...seen) * 1.5];
}

const dashes = {
  read: "",
  copy: ' stroke-dasharray="6 4"',
  flat: ' stroke-dasharray="2 3"',
} as const;

function roofKeys({ read, copy, flat }: Roofs): readonly Key[] {
  const key = (dash: string, text: string): Key => ({
    sign: (x, y) => `<path d="M${x - 8} ${y}h16" stroke="#222"${dash}/>`,
    text,
  });
  return [
    ...(read > 0 ? [key(dashes.read, `reading, ${number(read)} GB/s`)] : []),
    ...(copy > 0 ? [key(dashes.copy, `copying, ${number(copy)} GB/s`)] : []),
    ...(flat === null ? [] : [key(dashes.flat, `exponentials, ${number(flat)} · 10⁹/s`)]),
  ];
}

function mark(colour: string, shape: Shape, x: number, y: number, told: string): string {
  const style = `fill="${colour}" fill-opacity="0.75" stroke="#fff"`;
  const body = `<title>${escaped(told)}</title>`;
  const [left, top] = [place(x - 4), place(y - 4)];
  switch (shape) {
    case "circle":
      return `<circle cx="${place(x)}" cy="${place(y)}" r="4.5" ${style}>${body}</circle>`;
    case "triangle":
      return `<path d="M${place(x)} ${place(y - 5)}l5 9h-10z" ${style}>${body}</path>`;
    case "bar":
      return `<rect x="${left}" y="${place(y - 2)}" width="8" height="4" ${style}>${body}</rect>`;
    case "square":
      return `<rect x="${left}" y="${top}" width="8" height="8" ${style}>${body}</rect>`;
    case "diamond":
      return `<rect x="${left}" y="${top}" width="8" height="8" ${style} transform="rotate(45 ${place(x)} ${place(y)})">${body}</rect>`;
  }
}
