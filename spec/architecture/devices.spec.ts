// Specs take their devices from spec/support/device.ts, which gives each one back and asks it for errors that nobody caught.
// Only what tests the opening, the loss or the faults of a device opens one itself.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { blank } from "./source.ts";

const folder = fileURLToPath(new URL("../", import.meta.url));

/** Files that open a device themselves, and why. */
const openers: Readonly<Record<string, string>> = {
  "support/device.ts": "opens them for the others",
  "runtime/device.spec.ts": "tests what opening takes and refuses",
  "runtime/read.spec.ts": "waits on devices that it loses",
  "runtime/child.ts": "opens one in a process of its own",
  "errors/provoke/running.ts": "provokes what opening refuses",
  "gpu/badinput.spec.ts": "loses a device that was adopted",
  "faults/scenario.ts": "injects faults into every call, opening among them",
  "faults/together.spec.ts": "injects faults into every call, opening among them",
  "fuzz/drivers.ts": "opens one after another for one search, which takes their errors",
  "docs/run.ts": "gives documents a device, and asks it itself",
};

const opens = (text: string): boolean => /\bopenDevice\s*\(/.test(blank(text).bare);

describe("devices of the specs", () => {
  it.each(["const device = await openDevice();", "beforeAll(() => openDevice({ adapter }));"])(
    "would notice %s",
    (text) => expect(opens(text)).toBe(true),
  );

  it("are opened by spec/support/device.ts, and by no file that has no reason", () => {
    const found = readdirSync(folder, { recursive: true, encoding: "utf8" })
      .map((path) => path.replaceAll("\\", "/"))
      .filter((path) => path.endsWith(".ts") && !path.startsWith("architecture/"))
      .filter((path) => opens(readFileSync(folder + path, "utf8")));
    expect(found.toSorted()).toEqual(Object.keys(openers).toSorted());
  });
});
