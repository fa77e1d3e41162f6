// Writes the functions of the surface language that are one operator each, with the comments that their rows give them: a
// row of src/core/operators is then all that an operator needs to be exported, documented and typed.
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { binaryNames, binaryOps, unaryNames, unaryOps } from "../src/core/ops.ts";

const target = join(dirname(fileURLToPath(import.meta.url)), "../src/dsl/functions.generated.ts");

const one = (name: string, says: string, arity: "1" | "2"): string =>
  `/** ${says} */\nexport const ${name}: Elementwise${arity === "2" ? "2" : ""} = elementwise${arity}("${name}");\n`;

const functions = [
  ...unaryNames.flatMap((op) => {
    const { says } = unaryOps[op];
    return says === undefined ? [] : [one(op, says, "1")];
  }),
  ...binaryNames.flatMap((op) => {
    const { says } = binaryOps[op];
    return says === undefined ? [] : [one(op, says, "2")];
  }),
];

writeFileSync(
  target,
  `// Written by scripts/embed-functions.ts from the rows of the operators (src/core/operators); edit those and run
// \`npm run embed\`.
import { elementwise1, elementwise2, type Elementwise, type Elementwise2 } from "./pointwise.ts";

${functions.join("")}`,
);
