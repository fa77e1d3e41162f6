// The picture of a comparison as SVG: for everything that both runs measured a point at its ratio of times and a bar over its
// interval, on a logarithmic axis with a line at 1.

import { escaped, place, widthOf } from "../draw/svg.ts";
import type { Compared } from "./compare.ts";

const [left, right, top, rowHeight, plot] = [330, 70, 52, 22, 420] as const;
const width = left + plot + right;

/** A text that is cut with an ellipsis where it is wider than its room. */
function fitted(text: string, room: number, fontSize: number): string {
  if (widthOf(text, fontSize) <= room) return text;
  const most = Math.floor(room / widthOf("0", fontSize));
  return `${text.slice(0, most - 1)}…`;
}

const colours = { faster: "#3a7d34", slower: "#b4501e", "cannot tell": "#555555" } as const;
const ticks = [0.1, 0.2, 0.5, 0.8, 0.9, 0.95, 1, 1.05, 1.1, 1.25, 2, 5, 10];

/** Draws ratios of times. @throws nothing; an empty list is an empty picture */
export function ratioPicture(all: readonly Compared[], title: string): string {
  const ends = all.flatMap(({ ratio: { value, interval } }) => [value, ...(interval ?? [])]);
  const [low, high] = [Math.min(0.94, ...ends) / 1.01, Math.max(1.06, ...ends) * 1.01];
  const x = (value: number): string =>
    place(left + (plot * Math.log(value / low)) / Math.log(high / low));
  const bottom = top + rowHeight * all.length;
  const axis = ticks
    .filter((tick) => tick >= low && tick <= high)
    .map(
      (tick) =>
        `<line x1="${x(tick)}" y1="${top}" x2="${x(tick)}" y2="${bottom}" stroke="${tick === 1 ? "#222" : "#ddd"}"/><text x="${x(tick)}" y="${bottom + 16}" text-anchor="middle">${tick}</text>`,
    );
  const rows = all.map(({ name, after, ratio: { value, interval }, verdict }, position) => {
    const y = top + rowHeight * (position + 0.5);
    const bar =
      interval === null
        ? ""
        : `<line x1="${x(interval[0])}" y1="${y}" x2="${x(interval[1])}" y2="${y}" stroke="${colours[verdict]}" stroke-width="3" opacity="0.5"/>`;
    const label = fitted(`${name}; ${after.section}`, left - 24, 11);
    return `<text x="${left - 12}" y="${y + 4}" text-anchor="end" font-size="11">${escaped(label)}</text>${bar}<circle cx="${x(value)}" cy="${y}" r="4" fill="${colours[verdict]}"><title>${escaped(`${name}: ${value.toFixed(3)}, ${verdict}`)}</title></circle>`;
  });
  const legend = Object.entries(colours).map(
    ([verdict, colour], position) =>
      `<circle cx="${left + 110 * position}" cy="${top - 12}" r="4" fill="${colour}"/><text x="${left + 110 * position + 9}" y="${top - 8}">${verdict}</text>`,
  );
  const height = bottom + 46;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#222">`,
    `<title>${escaped(`Ratios of times: ${title}`)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="12" y="22" font-size="14">${escaped(fitted(`Ratios of times: ${title}`, width - 24, 14))}</text>`,
    ...legend,
    ...axis,
    ...rows,
    `<text x="${left + plot / 2}" y="${bottom + 36}" text-anchor="middle">time after / time before; left of 1 is faster</text>`,
    "</svg>",
    "",
  ].join("\n");
}
