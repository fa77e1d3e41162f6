// Says after a build how many bytes the first view takes, compressed, and how many the compiler that is loaded after it; a first
// view that is larger than what was promised fails the build.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

/** Bytes that the first view may take, compressed. */
const most = 400_000;

export const size = (): Plugin => ({
  name: "size",
  apply: "build",
  closeBundle: () => {
    const folder = fileURLToPath(new URL("dist", import.meta.url));
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => ({
        name,
        bytes: gzipSync(readFileSync(join(parentPath, name)), { level: 9 }).length,
      }));
    const sum = (some: typeof files): number => some.reduce((all, { bytes }) => all + bytes, 0);
    const later = files.filter(({ name }) => name.startsWith("worker-"));
    const first = sum(files) - sum(later);
    const kilo = (bytes: number): string => `${(bytes / 1000).toFixed(0)} kB`;
    console.log(`first view ${kilo(first)} compressed, the compiler after it ${kilo(sum(later))}`);
    if (first > most) throw new Error(`the first view is larger than ${kilo(most)}`);
  },
});
