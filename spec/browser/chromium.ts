// The browser that the playground is tested in: the one that PREFC_CHROMIUM names, that of the system, or the one in the optional
// package that also carries the software adapter, where the machine has the libraries that it needs. Where there is none, what
// needs it is skipped with one line.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** The browser of the optional package, unpacked; null where there is none, or it does not start. */
async function bundled(): Promise<string | null> {
  try {
    const path = await (await import("@sparticuz/chromium")).default.executablePath();
    return spawnSync(path, ["--version"], { timeout: 60_000 }).status === 0 ? path : null;
  } catch {
    return null;
  }
}

const named = process.env["PREFC_CHROMIUM"];

/** The path of a Chromium; null where there is none. PREFC_CHROMIUM=bundled takes that of the package. */
export const chromiumPath: string | null =
  named === undefined
    ? (places.find((place) => existsSync(place)) ?? (await bundled()))
    : named === "bundled"
      ? await bundled()
      : named;

if (chromiumPath === null) {
  console.log("no Chromium was found: install one, or let PREFC_CHROMIUM name it");
}
