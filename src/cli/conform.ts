// `prefc conform DIR`: holds the interpreter and the kernels against what published code computed, file by file.

import { defineCommand, type CommandDef } from "citty";
import { jsonLine, lineWriter, summary } from "../conform/text.ts";
import { runConform, type ConformOptions } from "../conform/run.ts";
import { PrefcError } from "../core/error.ts";

const args = {
  dir: { type: "positional", description: "folder of golden files, or one file", required: true },
  engine: { type: "string", description: "reference, gpu or both", default: "both" },
  adapter: {
    type: "string",
    description: "GPU adapter: auto, hardware, software, lavapipe or swiftshader",
  },
  only: {
    type: "string",
    description:
      "only files whose name or objective contains this text; the exact name of an objective selects it alone",
  },
  json: {
    type: "boolean",
    description: "one JSON object a line and file; the summary goes to the error output",
    default: false,
  },
} as const;

function engineNamed(name: string): NonNullable<ConformOptions["engine"]> {
  if (name === "reference" || name === "gpu" || name === "both") return name;
  throw new PrefcError(
    "unknown-engine",
    `There is no engine "${name}"; choose reference, gpu or both.`,
  );
}

/** Writes a line and waits until it has been handed over. */
const write = (stream: NodeJS.WriteStream, line: string): Promise<void> =>
  new Promise((resolve) => {
    stream.write(`${line}\n`, () => resolve());
  });

async function main(dir: string, options: ConformOptions, json: boolean): Promise<number> {
  const pending: Promise<void>[] = [];
  let line: (report: Parameters<typeof jsonLine>[0]) => string = jsonLine;
  const report = await runConform(dir, {
    ...options,
    onStart: (start) => {
      if (!json) line = lineWriter(start);
    },
    onFile: (file) => pending.push(write(process.stdout, line(file))),
  });
  await Promise.all(pending);
  await write(json ? process.stderr : process.stdout, summary(report).join("\n"));
  return report.failed > 0 || report.files.length === 0 ? 1 : 0;
}

const command: CommandDef<typeof args> = defineCommand({
  meta: { name: "conform", description: "Compare with recorded results of published code" },
  args,
  run: async ({ args: { dir, engine, adapter, only, json } }) => {
    let code = 1;
    try {
      const options = {
        engine: engineNamed(engine),
        ...(adapter === undefined ? {} : { adapter }),
        ...(only === undefined ? {} : { only }),
      };
      code = await main(dir, options, json);
    } catch (error) {
      if (!(error instanceof PrefcError)) throw error;
      await write(process.stderr, error.message);
    }
    // Dawn's threads would keep the process alive
    process.exit(code);
  },
});

export default command;
