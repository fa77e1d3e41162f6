// Plain text in columns, for a terminal: numbers with their units, names on the left, and colour only where the output
// is a terminal. Widths are counted without the invisible characters of colours.
import { stripVTControlCharacters } from "node:util";
import colours from "picocolors";

const width = (text: string): number => stripVTControlCharacters(text).length;

/** Rows as aligned columns: the first flush left, the others flush right, each line indented by two spaces. */
export function table(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => width(row[column] ?? ""))),
  );
  const pad = (cell: string, column: number): string => {
    const blank = " ".repeat(widths[column]! - width(cell));
    return column === 0 ? cell + blank : blank + cell;
  };
  return rows.map((row) => `  ${row.map(pad).join("   ")}`.trimEnd()).join("\n");
}

export const heading = (text: string): string => colours.bold(text);
export const faint = (text: string): string => colours.dim(text);
export const good = (text: string): string => colours.green(text);
export const bad = (text: string): string => colours.red(text);

/** A number to seven significant digits, about what float32 carries. */
export const number = (value: number): string => {
  const size = Math.abs(value);
  return value === 0 || (size >= 1e-4 && size < 1e7)
    ? Number(value.toPrecision(7)).toString()
    : value.toExponential(6);
};

/** A relative error. */
export const error = (value: number): string => (value === 0 ? "0" : value.toExponential(1));

/** Milliseconds. */
export const milliseconds = (value: number): string =>
  `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`;

/** Bytes in decimal units. */
export const bytes = (value: number): string => {
  if (value < 1e4) return `${value} B`;
  return value < 1e6 ? `${(value / 1e3).toFixed(1)} kB` : `${(value / 1e6).toFixed(1)} MB`;
};

/** A count with a comma at each thousand. */
export const count = (value: number): string => value.toLocaleString("en-US");
