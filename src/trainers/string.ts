// A string as Python writes it, for names that go into emitted files; Python reads every string of JSON as its own.

export const string = (text: string): string => JSON.stringify(text);

/** A dictionary of strings. */
export const dict = (entries: Readonly<Record<string, string>>): string =>
  `{${Object.entries(entries)
    .map(([key, value]) => `${string(key)}: ${string(value)}`)
    .join(", ")}}`;
