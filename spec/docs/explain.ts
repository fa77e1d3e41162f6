// Prints the explanation of the objective that a module of the documentation exports, as `prefc explain` does without a
// device.
import { explanationText } from "../../src/explain/text.ts";
import { compile, isObjective } from "../../src/index.ts";

const { default: exported } = (await import(process.argv[2]!)) as { readonly default?: unknown };
if (!isObjective(exported)) throw new Error(`${process.argv[2]} exports no objective`);
process.stdout.write(explanationText(compile(exported).explain()), () => process.exit(0));
