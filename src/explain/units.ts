// Numbers for people: decimal units as data sheets of memory use them, and lines that wrap at a column.

const units = ["B", "kB", "MB", "GB", "TB"] as const;

/** Bytes with three significant digits and a decimal unit: 131072000 → "131 MB". */
export function bytesText(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  const digits = unit === 0 || size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
  return `${size.toFixed(digits)} ${units[unit]!}`;
}

/** Milliseconds with three significant digits and a unit: 0.0421 → "42.1 µs". */
export function timeText(milliseconds: number): string {
  const [size, unit] =
    milliseconds >= 1000
      ? [milliseconds / 1000, "s"]
      : milliseconds >= 1
        ? [milliseconds, "ms"]
        : [milliseconds * 1000, "µs"];
  return `${Number(size.toPrecision(3))} ${unit}`;
}

/** A whole number with commas: 128256 → "128,256". */
export const countText = (count: number): string => count.toLocaleString("en-US");

/** Joins items with commas into lines of at most `width` columns; an item is broken only if it alone is too long. */
export function wrapped(items: readonly string[], width: number): readonly string[] {
  const lines: string[] = [];
  items.forEach((item, position) => {
    const text = position < items.length - 1 ? `${item},` : item;
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + text.length <= width)
      lines[lines.length - 1] = `${last} ${text}`;
    else lines.push(...broken(text, width));
  });
  return lines;
}

/** Breaks a long text at spaces. */
export function broken(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const part of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + part.length <= width)
      lines[lines.length - 1] = `${last} ${part}`;
    else lines.push(part);
  }
  return lines;
}

/** Rows of cells with each column as wide as its widest cell; columns named in `right` are aligned to the right. */
export function aligned(
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): readonly string[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        right.includes(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join("  ")
      .trimEnd(),
  );
}
