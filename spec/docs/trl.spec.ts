// docs/trl.md is what the measurements, the meanings of as_of and the recorded files make of it.

import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { trlPage } from "../../scripts/trl/page.ts";
import { trlDpo } from "../../src/index.ts";

const page = trlPage();

it("is what npm run trl writes; run it and commit docs/trl.md", () => {
  expect(readFileSync(new URL("../../docs/trl.md", import.meta.url), "utf8")).toBe(page);
});

it("names every silent change of a number with its release", () => {
  const rows = page.split("\n").filter((line) => / \| silently +\| /.test(line));
  expect(rows.length).toBeGreaterThanOrEqual(30);
  expect(page).toMatch(
    /\| 1\.10\.0 \(after 1\.9\.2\) +\| silently +\| f-divergence scores got their constant/,
  );
});

it("says of an option what as_of makes of it", () => {
  expect(page).toMatch(/\| `bco_pair` +\| 0\.7 to 0\.28 +\| less a running average of rewards/);
  expect(Object.keys(trlDpo({ as_of: "0.28", loss_type: "bco_pair" }).state)).toContain(
    "running_mean",
  );
  expect(Object.keys(trlDpo({ as_of: "0.29", loss_type: "bco_pair" }).state)).toEqual([]);
});
