// Lines of a benchmark as a table that spreadsheets read (RFC 4180): one column for each number or word; samples stay in JSON.

import type { Line } from "./line.ts";

type Cell = string | number | boolean | null;

const isCell = (value: unknown): value is Cell =>
  value === null || ["string", "number", "boolean"].includes(typeof value);

const quoted = (value: Cell): string => {
  const text = value === null ? "" : String(value);
  return /[",\r\n]/.test(text) ? ['"', text.replaceAll('"', '""'), '"'].join("") : text;
};

/** The table, with a line of names at the top; empty without lines. */
export function table(lines: readonly Line[]): string {
  const columns = [
    ...new Set(
      lines.flatMap((line) =>
        Object.entries(line).flatMap(([name, value]) => (isCell(value) ? [name] : [])),
      ),
    ),
  ];
  const rows = lines.map((line) => {
    const values: Readonly<Record<string, unknown>> = { ...line };
    return columns.map((name) => {
      const value = values[name];
      return quoted(isCell(value) ? value : null);
    });
  });
  return [columns, ...rows].map((row) => `${row.join(",")}\r\n`).join("");
}
