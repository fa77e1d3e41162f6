// Parts of a longer text, by what their first and their last line look like.

/** The lines of a text from the first that matches to the first after it that matches. */
export function excerpt(text: string, from: RegExp, to: RegExp): string {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => from.test(line));
  const end = lines.findIndex((line, position) => position > start && to.test(line));
  if (start < 0 || end < 0) throw new Error(`no lines from ${from} to ${to}`);
  return lines.slice(start, end + 1).join("\n");
}
