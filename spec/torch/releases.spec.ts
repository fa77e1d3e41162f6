// Emitted trainers under a release of TRL that they are not made for: one sentence, before anything of TRL is imported. A module
// that has a version and nothing else stands for the release, so that TRL itself need not be there.
import { expect, it } from "vitest";
import { builtIn } from "../../src/index.ts";
import { emitTrl } from "../../src/trainers/trl.ts";
import { describeTorch } from "./python.ts";

const under = (text: string, version: string): string => `
import sys, types
known = {name: one for name, one in sys.modules.items() if name == "trl" or name.startswith("trl.")}
for name in known:
    del sys.modules[name]
sys.modules["trl"] = types.ModuleType("trl")
sys.modules["trl"].__version__ = ${JSON.stringify(version)}
try:
    exec(${JSON.stringify(text)}, {"__name__": "emitted"})
    result = "nothing"
except ImportError as error:
    result = str(error)
finally:
    del sys.modules["trl"]
    sys.modules.update(known)
`;

describeTorch("an emitted trainer", (python) => {
  it.each(["dpo", "kto", "grpo"] as const)("of %s refuses a TRL that is too old", async (name) => {
    const { text } = emitTrl(builtIn(name), {});
    for (const version of ["1.15.2", "0.28.0"])
      expect(await python().script(under(text, version))).toBe(
        `this trainer needs TRL 1.16 or newer, but this is ${version}; pip install 'trl>=1.16'.`,
      );
  });

  it("goes on to import what it needs from a TRL that is new enough", async () => {
    const { text } = emitTrl(builtIn("dpo"), {});
    // the module that stands for it has nothing to import
    for (const version of ["1.16.0", "1.17.0.dev0", "2.0"])
      expect(await python().script(under(text, version))).toMatch(
        /^cannot import name 'DPOConfig'/,
      );
  });
});
