// `prefc conform DIR`: holds the interpreter and the kernels against what published code computed, a line for each
// recorded file. The exit code is 1 when a file failed, and when no file was meant.

import { defineCommand, type CommandDef } from "citty";
import { runConform } from "../conform/run.ts";
import { jsonLine, lineWriter, summary } from "../conform/text.ts";
import { oneOf } from "./given.ts";
import { print, printError } from "./output.ts";

const args = {
  dir: { type: "positional", description: "folder of golden files, or one file", required: true },
  engine: {
    type: "string",
    description: "both (reference and gpu), reference, gpu, or torch: emitted code at each height",
    default: "both",
    valueHint: "name",
  },
  adapter: {
    type: "string",
    description: "auto, hardware, software, lavapipe or swiftshader; also PREFC_ADAPTER",
    valueHint: "name",
  },
  only: {
    type: "string",
    description:
      "files whose name or objective contains this text; an objective's exact name selects it alone",
    valueHint: "text",
  },
  json: {
    type: "boolean",
    description: "one JSON object a line and file; all else goes to the error output",
  },
} as const;

const command = defineCommand({
  meta: {
    name: "conform",
    description: "Loss and gradient against recorded results of published code",
  },
  args,
  run: async ({ args: { dir, engine, adapter, only, json } }) => {
    let line: ReturnType<typeof lineWriter> = jsonLine;
    const report = await runConform(dir, {
      engine: oneOf("engine", engine, ["both", "reference", "gpu", "torch"]),
      ...(adapter === undefined ? {} : { adapter }),
      ...(only === undefined ? {} : { only }),
      onStart: (start) => {
        if (json !== true) line = lineWriter(start);
      },
      onFile: (file) => print(line(file)),
    });
    for (const sentence of summary(report)) (json === true ? printError : print)(sentence);
    return report.failed > 0 || report.files.length === 0 ? 1 : 0;
  },
});

export default command as unknown as CommandDef;
