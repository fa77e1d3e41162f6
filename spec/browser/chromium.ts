// The browser that the playground is tested in: PREFC_CHROMIUM, or the Chromium of the system. Where there is none, what needs it
// is skipped with one line.

import { existsSync } from "node:fs";

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** The path of a Chromium; null where there is none. */
export const chromiumPath: string | null =
  process.env["PREFC_CHROMIUM"] ?? places.find((place) => existsSync(place)) ?? null;

if (chromiumPath === null) {
  console.log("no Chromium was found: install one, or let PREFC_CHROMIUM name it");
}
