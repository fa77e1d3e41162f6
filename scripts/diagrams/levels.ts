// The levels of the compiler with the type of what each hands on, and the passes between them.
import { arrow, box, colours, picture, text, type Box } from "./draw.ts";

interface Level {
  readonly name: string;
  readonly type: string;
  readonly folder: string;
  /** The passes that make the next level of it. */
  readonly passes: string;
}

/** From the surface down; a test holds that the folders exist and that they export the types. */
export const levels: readonly Level[] = [
  {
    name: "surface",
    type: "Objective",
    folder: "src/dsl",
    passes: "bind: inputs that the batch brings ready-made",
  },
  {
    name: "core",
    type: "Node",
    folder: "src/core",
    passes: "simplify; differentiate; simplify the gradient",
  },
  {
    name: "loss, metrics and gradient",
    type: "Program",
    folder: "src/pipeline",
    passes: "derive: which passes over the vocabulary, which fields",
  },
  {
    name: "passes and row programs",
    type: "Stages",
    folder: "src/stream",
    passes: "say what a pass does with a row, block by block",
  },
  {
    name: "passes over blocks",
    type: "BlockPass",
    folder: "src/block",
    passes: "lay out: lanes, vectors, unrolling",
  },
  {
    name: "kernels",
    type: "Kernel",
    folder: "src/kernel",
    passes: "print: WGSL",
  },
  {
    name: "dispatches",
    type: "Plan",
    folder: "src/plan",
    passes: "run: one submission",
  },
  { name: "results", type: "ValueAndGrad", folder: "src/compile", passes: "" },
];

const width = 760;
const high = 46;
const gap = 34;
const left = 20;
const boxWidth = 330;

export function levelsPicture(): string {
  const at = (n: number): Box => ({
    x: left,
    y: 40 + n * (high + gap),
    width: boxWidth,
    height: high,
  });
  const boxes = levels.flatMap(({ name, type, folder, passes }, n) => {
    const own = at(n);
    const middle = own.x + 60;
    return [
      box(own, name, [`${type}, in ${folder}`], colours.data),
      ...(passes === ""
        ? []
        : [
            arrow([
              [middle, own.y + high],
              [middle, own.y + high + gap],
            ]),
            text(middle + 12, own.y + high + gap / 2 + 4, passes, { colour: colours.quiet }),
          ]),
    ];
  });
  const side = (n: number, heading: string, line: string): readonly string[] => {
    const own = { ...at(n), x: 470, width: 270 };
    return [
      box(own, heading, [line], colours.work),
      arrow([
        [left + boxWidth, own.y + high / 2],
        [own.x, own.y + high / 2],
      ]),
    ];
  };
  return picture("The levels of the compiler", width, 40 + levels.length * (high + gap), [
    text(left, 24, "The levels of the compiler, and the type that each hands on", { size: 14 }),
    ...boxes,
    ...side(1, "meaning", "float64 interpreter, src/reference"),
    ...side(2, "PyTorch", "one Python file, src/torch"),
    ...side(6, "explanation", "Explanation, src/explain"),
  ]);
}
