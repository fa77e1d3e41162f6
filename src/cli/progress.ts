// A plain progress bar on the error output while a command works; nothing where no person is looking.

export interface Progress {
  /** Says what is under way, after so much of the whole (0 to 1) is done. */
  readonly at: (done: number, what: string) => void;
  readonly end: () => void;
}
/** process.stderr, or anything that writes. */
export interface Out {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly write: (text: string) => unknown;
}

const width = 30;

/** A bar in the last line of a terminal; nothing is written to anything else. */
export function progress(out: Out): Progress {
  if (out.isTTY !== true) return { at: () => undefined, end: () => undefined };
  return {
    at: (done, what) => {
      const filled = Math.round(Math.min(1, Math.max(0, done)) * width);
      const bar = `${"#".repeat(filled)}${".".repeat(width - filled)}`;
      const line = `[${bar}] ${String(Math.floor(100 * done)).padStart(3)} %  ${what}`;
      out.write(`\r\u001B[K${line.slice(0, (out.columns ?? 100) - 1)}`);
    },
    end: () => out.write("\r\u001B[K"),
  };
}
