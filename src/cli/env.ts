// `prefc env`: where this program runs and on what, in one block to paste into a report.

import { defineCommand, type CommandDef } from "citty";
import { PrefcError } from "../core/error.ts";
import { openDevice } from "../runtime/device.ts";
import { describeEnvironment, environmentText } from "../runtime/environment.ts";
import { print } from "./output.ts";

const args = {
  adapter: {
    type: "string",
    description: "auto, hardware, software, lavapipe or swiftshader; also PREFC_ADAPTER",
    valueHint: "name",
  },
  json: { type: "boolean", description: "as JSON" },
} as const;

const command = defineCommand({
  meta: {
    name: "env",
    description: "Versions, adapter, features and limits, in one block to paste",
  },
  args,
  run: async ({ args: { adapter, json } }) => {
    const device = await openDevice(adapter === undefined ? {} : { adapter }).catch(
      (error: unknown) => {
        if (error instanceof PrefcError) return error.message;
        throw error;
      },
    );
    const environment = await describeEnvironment(device);
    print(json === true ? JSON.stringify(environment, null, 2) : environmentText(environment));
    if (typeof device === "string") return 1;
    device.dispose();
    return 0;
  },
});

export default command as unknown as CommandDef;
