// Boxes, arrows and lines of text as SVG, for the diagrams of the documents.
import { escaped, place, widthOf } from "../../src/draw/svg.ts";

export const colours = {
  ink: "#222",
  quiet: "#666",
  edge: "#888",
  data: "#eef3fa",
  work: "#fdf3e6",
  plain: "#fff",
} as const;

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}
interface TextStyle {
  readonly size?: number;
  readonly colour?: string;
  readonly bold?: boolean;
  readonly anchor?: "start" | "middle" | "end";
}

export function text(x: number, y: number, said: string, style: TextStyle = {}): string {
  const { size = 12, colour = colours.ink, bold = false, anchor = "start" } = style;
  const weight = bold ? ' font-weight="bold"' : "";
  return `<text x="${place(x)}" y="${place(y)}" font-size="${size}" fill="${colour}" text-anchor="${anchor}"${weight}>${escaped(said)}</text>`;
}

/** A box with a heading and lines below it. Throws an Error where a line does not fit. */
export function box(at: Box, heading: string, lines: readonly string[], fill: string): string {
  for (const line of [heading, ...lines]) {
    if (widthOf(line) > at.width - 8) throw new Error(`"${line}" does not fit its box`);
  }
  if (lines.length * 16 + 24 > at.height) throw new Error(`"${heading}": too many lines`);
  return [
    `<rect x="${at.x}" y="${at.y}" width="${at.width}" height="${at.height}" rx="4" fill="${fill}" stroke="${colours.edge}"/>`,
    text(at.x + 10, at.y + 18, heading, { bold: true }),
    ...lines.map((line, n) => text(at.x + 10, at.y + 36 + 16 * n, line)),
  ].join("\n");
}

/** A line along points, with a head at its last one. */
export function arrow(
  points: readonly (readonly [x: number, y: number])[],
  dashed = false,
): string {
  const path = points.map(([x, y], n) => `${n === 0 ? "M" : "L"}${place(x)} ${place(y)}`).join("");
  const dash = dashed ? ' stroke-dasharray="5 4"' : "";
  return `<path d="${path}" fill="none" stroke="${colours.ink}"${dash} marker-end="url(#head)"/>`;
}

export function picture(
  title: string,
  width: number,
  height: number,
  parts: readonly string[],
): string {
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="${colours.ink}">`,
    `<title>${escaped(title)}</title>`,
    `<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" fill="${colours.ink}"/></marker></defs>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...parts,
    "</svg>",
  ].join("\n")}\n`;
}
