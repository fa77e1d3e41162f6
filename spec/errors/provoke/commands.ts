// Provokes the errors of the command line, of modules and of recorded files.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { blame, inTime, moduleEnded } from "../../../src/cli/blame.ts";
import { againstOf } from "../../../src/plots/against.ts";
import { curvesOf } from "../../../src/plots/sweep.ts";
import { builtIn } from "../../../src/index.ts";
import { checkArguments } from "../../../src/cli/arguments.ts";
import { commandNamed, neverSettled } from "../../../src/cli/commands.ts";
import { write } from "../../../src/cli/write.ts";
import { loadObjective } from "../../../src/cli/objective.ts";
import { parseGolden, readGolden } from "../../../src/conform/golden.ts";
import { interpretGolden } from "../../../src/conform/names.ts";
import { recordedGradient } from "../../../src/conform/reference.ts";
import { runConform } from "../../../src/conform/run.ts";
import type { commands as rows } from "../../../src/core/errors/commands.ts";
import { changed, put, sigmoid, type Json } from "../../conform/support.ts";
import { batch } from "./devices.ts";
import type { Provocations } from "./provocations.ts";

/** The objective of a module with this text, in a file of this name in a folder of its own. */
const loaded = async (
  text: string,
  name: string = "mine.ts",
  path: string = name,
): Promise<unknown> => {
  const folder = mkdtempSync(join(tmpdir(), "prefc-errors-"));
  writeFileSync(join(folder, name), text);
  try {
    return await loadObjective(join(folder, path));
  } catch (error) {
    // where the folder is differs between machines
    throw scrubbed(error as Error, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
};
const scrubbed = (error: Error, folder: string): Error => {
  error.message = error.message.replaceAll(`${folder}/`, "");
  return error;
};
const declared = {
  objective: { type: "positional", description: "the objective" },
  vocab: { type: "string", description: "the size of the vocabulary" },
} as const;
const golden = (change: (document: Json) => void): unknown =>
  interpretGolden(parseGolden(changed(sigmoid, change), "recorded.json"));

export const commands: Provocations<typeof rows> = {
  "emit-not-written": () => {
    write("nowhere/loss.py", "");
  },
  "output-is-input": () => {
    write("README.md", "", ["README.md"]);
  },
  "plot-objective": () => curvesOf(builtIn("sft"), againstOf("margin", [], {})),
  "unknown-command": () => commandNamed("chekc"),
  "missing-argument": () => checkArguments("explain", [], declared),
  "too-many-arguments": () => checkArguments("explain", ["dpo", "wpo"], declared),
  "option-without-value": () => checkArguments("explain", ["dpo", "--vocab"], declared),
  "options-for-module": () => loadObjective("mine.ts", { beta: 1 }),
  "module-missing": () =>
    loadObjective("./nowhere/mine.ts").catch((error: Error) => {
      throw scrubbed(error, process.cwd());
    }),
  "not-a-module": () => loaded("", "mine.py"),
  "module-syntax": () => loaded("export default (;"),
  "module-failed": () => loaded('throw new Error("out of luck");'),
  "module-takes-too-long": () =>
    inTime("mine.ts", () => new Promise((done) => setTimeout(done, 1000)), 0.001),
  "module-ended-process": () => {
    blame("mine.ts", "mine.ts");
    throw moduleEnded();
  },
  "export-missing": () => loaded("export const ipo = 1;", "mine.ts", "mine.ts#dpo"),
  "no-objective": () => loaded("export const beta = 0.1;"),
  "several-objectives": () =>
    loaded('import { dpo, wpo } from "prefc"; export const [first, second] = [dpo(), wpo()];'),
  "foreign-objective": () =>
    loaded('export default { name: "mine", responses: ["w"], loss: { tag: "const", axes: [] } };'),
  "never-settled": () => {
    throw neverSettled();
  },
  "golden-folder": () => runConform("./nowhere", { engine: "reference" }),
  "golden-unreadable": () => readGolden("./nowhere/recorded.json"),
  "golden-malformed": () => golden((document) => put(document, "objective", 3)),
  "golden-unknown-objective": () =>
    golden((document) => put(document, "objective", "trl_dpo/sigmod")),
  "golden-unknown-parameter": () => golden((document) => put(document["params"]!, "betta", 1)),
  "golden-no-logits": () => recordedGradient([], [], batch),
};
