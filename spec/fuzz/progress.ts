// A progress bar on standard error: one line that is written over on a terminal, a line now and then elsewhere.

const width = 30;

const clock = (seconds: number): string =>
  seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;

export interface Progress {
  readonly show: (done: number, note: string) => void;
  /** Leaves the line, for something else to be printed. */
  readonly clear: () => void;
}

export function progress(total: number, first: number, stream: NodeJS.WriteStream): Progress {
  const started = Date.now();
  let lastTenth = -1;
  return {
    show: (done, note) => {
      const share = total === 0 ? 1 : done / total;
      const elapsed = (Date.now() - started) / 1000;
      const left = done > first ? ((total - done) * elapsed) / (done - first) : 0;
      const full = Math.round(share * width);
      const bar = "█".repeat(full) + "·".repeat(width - full);
      const line = `${bar} ${done}/${total}  ${clock(elapsed)}, ${clock(left)} left  ${note}`;
      if (stream.isTTY) stream.write(`\r\u001b[K${line}`);
      else if (Math.floor(share * 20) > lastTenth) stream.write(`${line}\n`);
      lastTenth = Math.max(lastTenth, Math.floor(share * 20));
    },
    clear: () => {
      if (stream.isTTY) stream.write("\r\u001b[K");
    },
  };
}
