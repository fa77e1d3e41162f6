// The roofline picture as SVG, both axes logarithmic: entries of logits visited per byte moved against entries visited per
// second. Memory is a slanted roof (reading, and copying), exponentials are a flat one, as every entry costs at least one;
// a point near the lower of its roofs is as fast as the adapter can be.

import type { Line } from "./line.ts";

const width = 680;
const height = 460;
const frame = { left: 76, right: 190, top: 46, bottom: 62 } as const;

interface Series {
  readonly name: string;
  readonly colour: string;
  readonly shape: "circle" | "square" | "diamond";
}
const styles = [
  ["#1f5fa8", "circle"],
  ["#b4501e", "square"],
  ["#3a7d34", "diamond"],
  ["#7a4aa0", "circle"],
  ["#a08a1e", "square"],
  ["#555555", "diamond"],
] as const;

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const place = (value: number): string => value.toFixed(1);
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
const seriesOf = ({ provider, dtype }: Line): string =>
  dtype === "f32" ? provider : `${provider}, ${dtype}`;

const best = (lines: readonly Line[], provider: string): number =>
  Math.max(0, ...lines.flatMap((line) => (line.provider === provider ? [line.gb_s] : [])));

/** `exponentials` per second, or null where they were not measured. Rates are in 10^9 entries a second. */
export function roofline(lines: readonly Line[], exponentials: number | null): string {
  const all = pointsOf(lines);
  const points = all.filter(({ line }) => !line.provider.startsWith("ceiling-"));
  const [first] = points;
  const [read, copy] = [best(lines, "ceiling-read"), best(lines, "ceiling-copy")];
  const flat = exponentials === null ? null : exponentials / 1e9;
  const intensities = points.map(({ intensity }) => intensity);
  const [least, most] = [Math.min(...intensities) / 1.6, Math.max(...intensities) * 1.6];
  const slopes = [read, copy].filter((rate) => rate > 0);
  const rates = points.map(({ rate }) => rate);
  const tops = [...rates, ...slopes.map((rate) => most * rate), flat ?? 0];
  const bottoms = [
    ...rates,
    ...slopes.map((rate) => least * rate),
    ...(flat === null ? [] : [flat]),
  ];
  const [low, high] = [Math.min(...bottoms) / 1.5, Math.max(...tops) * 1.5];
  const right = width - frame.right;
  const bottom = height - frame.bottom;
  const x = (value: number): number =>
    frame.left + (Math.log(value / least) / Math.log(most / least)) * (right - frame.left);
  const y = (value: number): number =>
    bottom - (Math.log(value / low) / Math.log(high / low)) * (bottom - frame.top);
  const title = "Entries of logits per byte and per second";
  const head = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#222">`,
    `<title>${title}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${frame.left}" y="18" font-size="14">${title}</text>`,
  ];
  if (first === undefined)
    return `${[...head, `<text x="${frame.left}" y="60">Nothing was timed by the GPU.</text>`, "</svg>"].join("\n")}\n`;
  const names = [...new Set(points.map(({ line }) => seriesOf(line)))];
  const series = names.map((name, index): Series => {
    const [colour, shape] = styles[index % styles.length]!;
    return { name, colour, shape };
  });
  const grid = [
    ...logTicks(least, most).map(
      (value) =>
        `<path d="M${place(x(value))} ${frame.top}V${bottom}" stroke="#e4e4e4"/><text x="${place(x(value))}" y="${bottom + 16}" text-anchor="middle">${number(value)}</text>`,
    ),
    ...logTicks(low, high).map(
      (value) =>
        `<path d="M${frame.left} ${place(y(value))}H${right}" stroke="#e4e4e4"/><text x="${frame.left - 6}" y="${place(y(value) + 4)}" text-anchor="end">${number(value)}</text>`,
    ),
  ];
  const slanted = (rate: number, dash: string): string =>
    `<path d="M${place(x(least))} ${place(y(least * rate))}L${place(x(most))} ${place(y(most * rate))}" stroke="#222" fill="none"${dash}/>`;
  const roofs = [
    ...(read > 0 ? [slanted(read, "")] : []),
    ...(copy > 0 ? [slanted(copy, ' stroke-dasharray="6 4"')] : []),
    ...(flat === null
      ? []
      : [
          `<path d="M${frame.left} ${place(y(flat))}H${right}" stroke="#222" stroke-dasharray="2 3"/>`,
        ]),
  ];
  const marks = points.map(({ intensity, rate, line }) => {
    const own = series.find(({ name }) => name === seriesOf(line))!;
    const told = `${line.objective}, ${line.provider}, ${line.direction}, ${line.section}: ${number(rate)} · 10⁹ entries/s, ${number(line.gb_s)} GB/s`;
    return mark(own, x(intensity), y(rate), told);
  });
  const legend = [
    ...series.map((own, index) => {
      const top = frame.top + 10 + 18 * index;
      return `${mark(own, right + 16, top, own.name)}<text x="${right + 28}" y="${top + 4}">${escaped(own.name)}</text>`;
    }),
    ...roofLabels(read, copy, flat).map(
      ([dash, text], index) =>
        `<path d="M${right + 8} ${frame.top + 24 + 18 * (series.length + index)}h16" stroke="#222"${dash}/><text x="${right + 28}" y="${frame.top + 28 + 18 * (series.length + index)}">${escaped(text)}</text>`,
    ),
  ];
  return `${[
    ...head,
    `<text x="${frame.left}" y="35" fill="#555">${escaped(`${first.line.device}; commit ${first.line.commit}`)}</text>`,
    ...grid,
    ...roofs,
    `<rect x="${frame.left}" y="${frame.top}" width="${right - frame.left}" height="${bottom - frame.top}" fill="none" stroke="#444"/>`,
    ...marks,
    ...legend,
    `<text x="${(frame.left + right) / 2}" y="${height - 26}" text-anchor="middle">entries visited per byte moved</text>`,
    `<text x="${(frame.left + right) / 2}" y="${height - 10}" text-anchor="middle" fill="#555">f32: forward 0.25, backward 0.125; half as many bytes for f16 and bf16</text>`,
    `<text transform="translate(16 ${(frame.top + bottom) / 2}) rotate(-90)" text-anchor="middle">10⁹ entries per second</text>`,
    "</svg>",
  ].join("\n")}\n`;
}

const roofLabels = (
  read: number,
  copy: number,
  flat: number | null,
): readonly (readonly [dash: string, text: string])[] => [
  ...(read > 0 ? [["", `reading, ${number(read)} GB/s`] as const] : []),
  ...(copy > 0 ? [[' stroke-dasharray="6 4"', `copying, ${number(copy)} GB/s`] as const] : []),
  ...(flat === null
    ? []
    : [[' stroke-dasharray="2 3"', `exponentials, ${number(flat)} · 10⁹/s`] as const]),
];

function mark({ colour, shape }: Series, x: number, y: number, told: string): string {
  const style = `fill="${colour}" fill-opacity="0.75" stroke="#fff"`;
  const body = `<title>${escaped(told)}</title>`;
  if (shape === "circle")
    return `<circle cx="${place(x)}" cy="${place(y)}" r="4.5" ${style}>${body}</circle>`;
  const turned = shape === "diamond" ? ` transform="rotate(45 ${place(x)} ${place(y)})"` : "";
  return `<rect x="${place(x - 4)}" y="${place(y - 4)}" width="8" height="8" ${style}${turned}>${body}</rect>`;
}
