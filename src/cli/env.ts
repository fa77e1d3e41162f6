// `prefc env`: where this program runs and on what, in one block to paste into a report.

import { defineCommand, type CommandDef } from "citty";
import { PrefcError } from "../core/error.ts";
import { bytesText } from "../explain/units.ts";
import { measureRates } from "../measure/ceilings.ts";
import { storeRates, type StoredRates } from "../measure/stored.ts";
import { openDevice } from "../runtime/device/open.ts";
import type { Device } from "../runtime/device/device.ts";
import { describeEnvironment, environmentText } from "../runtime/device/environment.ts";
import { print, printJson } from "./output.ts";

const args = {
  adapter: {
    type: "string",
    description: "auto, hardware, software, lavapipe or swiftshader; also PREFC_ADAPTER",
    valueHint: "name",
  },
  measure: {
    type: "boolean",
    description: "measure how fast it reads and copies memory, and keep that for explain",
  },
  json: { type: "boolean", description: "as JSON" },
} as const;

interface Measured extends StoredRates {
  /** Where they are kept; null where no folder can be written. */
  readonly kept: string | null;
}

async function measuredRates(device: Device): Promise<Measured> {
  const rates = await measureRates(device);
  return { ...rates, kept: storeRates(device.line, rates) };
}

const lines = ({ read_gb_s, copy_gb_s, bytes, kept }: Measured): readonly string[] => [
  "measured",
  `  read  ${read_gb_s.toFixed(1)} GB/s`,
  `  copy  ${copy_gb_s.toFixed(1)} GB/s, read and written`,
  `  of    ${bytesText(bytes)}`,
  `  kept  ${kept ?? "nowhere: no cache folder can be written"}`,
];

const command = defineCommand({
  meta: {
    name: "env",
    description: "Versions, adapter, features and limits, in one block to paste",
  },
  args,
  run: async ({ args: { adapter, json, measure } }) => {
    const device = await openDevice(adapter === undefined ? {} : { adapter }).catch(
      (error: unknown) => {
        if (error instanceof PrefcError) return error.message;
        throw error;
      },
    );
    const environment = await describeEnvironment(device);
    const measured =
      measure === true && typeof device !== "string" ? await measuredRates(device) : null;
    if (json === true) printJson({ ...environment, ...(measured === null ? {} : { measured }) }, 2);
    else
      print(
        [environmentText(environment), ...(measured === null ? [] : lines(measured))].join("\n"),
      );
    if (typeof device === "string") return 1;
    device.dispose();
    return 0;
  },
});

export default command as unknown as CommandDef;
