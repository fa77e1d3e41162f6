// What the page and the worker say to each other. The worker runs a visitor's code, which could send anything in its place, so the
// page takes nothing from it but text of limited length.

/** What a worker is asked for, once in its life. */
export type Task =
  | {
      readonly kind: "run";
      readonly code: string;
      /** A built-in to compare with; none where it is empty. */
      readonly beside: string;
      /** What the plot is drawn against. */
      readonly against: string;
    }
  | {
      readonly kind: "check";
      readonly code: string;
      readonly batches: number;
      readonly gpu: boolean;
    }
  /** The names of the built-ins. */
  | { readonly kind: "names" };

/** A titled part of the results. */
export interface Part {
  readonly heading: string;
  readonly text: string;
  /** An SVG document, which is only ever shown as an image. */
  readonly picture?: string;
  /** Whether it is closed at first. */
  readonly folded?: boolean;
  /** Whether a button copies it. */
  readonly copied?: boolean;
}

/** What a worker answers. */
export type Answer =
  | { readonly kind: "names"; readonly names: readonly string[] }
  | { readonly kind: "part"; readonly part: Part }
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "done"; readonly text: string }
  /** In one sentence, and where in the module, counted from 1; 0 where it is not known. */
  | {
      readonly kind: "failed";
      readonly sentence: string;
      readonly line: number;
      readonly column: number;
    }
  | { readonly kind: "died" };

const longest = 2_000_000;
const textOf = (value: unknown): string =>
  typeof value === "string" ? value.slice(0, longest) : "";
const placeOf = (value: unknown): number =>
  typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : 0;

type Loose = Readonly<Record<string, unknown>>;
const isRecord = (value: unknown): value is Loose => typeof value === "object" && value !== null;

/** An answer as it came out of the sandbox; null for what is none. */
export function answerOf(value: unknown): Answer | null {
  if (!isRecord(value)) return null;
  switch (value["kind"]) {
    case "names":
      return Array.isArray(value["names"])
        ? { kind: "names", names: value["names"].slice(0, 1000).map(textOf) }
        : null;
    case "part": {
      const part = value["part"];
      if (!isRecord(part)) return null;
      const picture = textOf(part["picture"]);
      return {
        kind: "part",
        part: {
          heading: textOf(part["heading"]),
          text: textOf(part["text"]),
          ...(picture === "" ? {} : { picture }),
          folded: part["folded"] === true,
          copied: part["copied"] === true,
        },
      };
    }
    case "line":
    case "done":
      return { kind: value["kind"], text: textOf(value["text"]) };
    case "failed":
      return {
        kind: "failed",
        sentence: textOf(value["sentence"]),
        line: placeOf(value["line"]),
        column: placeOf(value["column"]),
      };
    case "died":
      return { kind: "died" };
    default:
      return null;
  }
}
