// WPO as its dispatches, and what each hands to the next: drawn from the plan that the compiler makes today.
import { compile, wpo } from "../../src/index.ts";
import { describeField } from "../../src/stream/fields.ts";
import { arrow, box, colours, picture, text } from "./draw.ts";

const width = 760;

/** One dispatch, or those of a row program, which follow each other. */
interface Dispatch {
  readonly count: number;
  readonly name: string;
  /** The logits that it reads, by model. */
  readonly reads: readonly string[];
  /** What it leaves for later dispatches, by row. */
  readonly leaves: readonly string[];
  readonly writes: string | null;
}

/** The dispatches of the value and gradient of WPO, without metrics. */
export function dispatches(): readonly Dispatch[] {
  const { steps } = compile(wpo(), { metrics: false }).plan("valueAndGrad", 128_256);
  const all: Dispatch[] = [];
  const count = 1;
  for (const { pass, kernel } of steps) {
    const before = all.at(-1);
    if (pass !== null) all.push({ count, ...passDrawn(pass) });
    else {
      const leaves = [kernel.name.replace("row program: ", "")];
      if (before?.name !== "row program")
        all.push({ count, name: "row program", reads: [], leaves, writes: null });
      else
        all[all.length - 1] = {
          ...before,
          count: before.count + 1,
          leaves: [...before.leaves, ...leaves],
        };
    }
  }
  return all;
}

type Pass = NonNullable<ReturnType<ReturnType<typeof compile>["plan"]>["steps"][number]["pass"]>;

/** A pass over the vocabulary. */
function passDrawn(pass: Pass): Omit<Dispatch, "count"> {
  const logits = pass.models.map((model) => `${model} logits`);
  if (pass.kind === "gradient")
    return {
      name: `write the gradient of ${pass.of} logits`,
      reads: logits,
      leaves: [],
      writes: `gradient of ${pass.of} logits`,
    };
  const leaves = pass.kind === "online" ? pass.fields.map(describeField) : ["a reduction"];
  return { name: `read ${logits.join(" and ")}`, reads: logits, leaves, writes: null };
}

export function wpoPicture(): string {
  const all = dispatches();
  const parts: string[] = [];
  let y = 46;
  const middles: number[] = [];
  let number = 1;
  all.forEach(({ count, name, reads, leaves, writes }) => {
    const numbers = count === 1 ? `${number}` : `${number} to ${number + count - 1}`;
    number += count;
    const height = Math.max(46, 32 + 16 * leaves.length);
    const own = { x: 230, y, width: 290, height };
    const middle = y + height / 2;
    middles.push(middle);
    parts.push(box(own, `${numbers}. ${name}`, leaves, colours.work));
    reads.forEach((logits) => {
      parts.push(
        box({ x: 20, y: middle - 22, width: 150, height: 44 }, logits, ["[rows, V]"], colours.data),
        arrow([
          [170, middle],
          [230, middle],
        ]),
      );
    });
    if (writes !== null)
      parts.push(
        box(
          { x: 560, y: middle - 22, width: 190, height: 44 },
          writes,
          ["[rows, V]"],
          colours.data,
        ),
        arrow([
          [520, middle],
          [560, middle],
        ]),
      );
    y += height + 30;
  });
  // what one dispatch leaves is handed to the row program, and what that leaves to the dispatches after it
  const program = all.findIndex(({ name }) => name === "row program");
  all.forEach((_, n) => {
    if (n === program) return;
    const [from, to] = n < program ? [n, program] : [program, n];
    const away = 545 + 9 * Math.abs(program - n);
    const ends =
      n < program
        ? [middles[from]! + 6, middles[to]! - 6]
        : [middles[from]! + 6, middles[to]! - 16];
    parts.push(
      arrow([
        [520, ends[0]!],
        [n < program ? away : 540, ends[0]!],
        [n < program ? away : 540, ends[1]!],
        [520, ends[1]!],
      ]),
    );
  });
  const between = (middles[0]! + middles[program]!) / 2;
  return picture("WPO as its dispatches", width, y + 24, [
    text(20, 24, `WPO, value and gradient: ${number - 1} dispatches and what they hand over`, {
      size: 14,
    }),
    ...parts,
    text(590, between, "some numbers for each row", { colour: colours.quiet }),
    text(20, y + 8, "x is z less the largest z of the row; z are logits, and y is the label.", {
      colour: colours.quiet,
    }),
  ]);
}
