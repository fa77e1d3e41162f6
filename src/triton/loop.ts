// Writes the passes of the block level as loops of one program over its row of logits: what is added up, entry by entry about a
// point near the largest one, and the gradient that is written. There is one program to a row, so nothing is shared or atomic.

import { match, P } from "ts-pattern";
import type { Accumulator, BlockPass } from "../block/block.ts";
import * as meaning from "../block/meaning.ts";
import { degreeOf, moved } from "../block/moments.ts";
import { iota } from "../core/build.ts";
import type { Node } from "../core/node.ts";
import { entryOf } from "../stream/skeleton.ts";
import { strengths, within } from "../torch/piece.ts";
import { inside, write, type Scope } from "./expression.ts";
import * as row from "./row.ts";
import { ending, minusInfinity, narrowed, real, widened } from "./row.ts";

const one = (scope: Scope, node: Node): string => write(scope, [node])[0]!.text;
const sum = (scope: Scope, node: Node): string =>
  within(write(scope, [node])[0]!, strengths.sum + 1);

/** The values of the row that a pass is given: each is filled by an expression over what is known. */
export function given(pass: BlockPass, filled: ReadonlyMap<string, Node>, scope: Scope): void {
  const nodes = pass.given.map(({ field }) => filled.get(field)!);
  const pieces = write(scope, nodes);
  pass.given.forEach(({ leaf }, position) => {
    const piece = pieces[position]!;
    if (piece.kind === "python") {
      scope.known.set(leaf, piece);
      return;
    }
    const name = scope.names.fresh("c");
    scope.lines.push(`${name} = ${narrowed(piece)}`);
    scope.known.set(leaf, real(name));
  });
}

/** A pass that reads the row and leaves fields, as lines and names in the scope of the row. */
export function reading(pass: BlockPass, scope: Scope, fieldOf: (field: string) => Node): void {
  const isRunning = pass.points.length > 0;
  (isRunning ? running : later)(pass, scope);
  const pieces = write(
    scope,
    pass.left.map(({ value }) => value),
  );
  pass.left.forEach(({ field }, position) => {
    scope.known.set(fieldOf(field), pieces[position]!);
  });
}

/** Whether a masked entry, and what lies beyond the row, adds 0 as it is: e^x of it is 0, and x^k bounded. */
const vanishes = ({ shape }: Accumulator): boolean =>
  shape.kind === "ties" ||
  (shape.kind === "moment" &&
    shape.powers.every(({ d }) => d >= 0) &&
    shape.powers.some(({ d }) => d > 0));

/**
 * The running pass. Entries stand in groups, and each group has a point of its own: the largest of its entries so far. What is
 * added up moves with it, and no lane waits for another until the row is read.
 */
function running(pass: BlockPass, scope: Scope): void {
  const owns = pass.models.map(row.ownOf);
  const { accumulators, weighted } = pass;
  const nameOf = new Map<Accumulator, string>(
    accumulators.map((own) => [own, scope.names.fresh(own.name)]),
  );
  // those of a higher degree mix in the lower ones, before these are moved themselves
  const ordered = accumulators.toSorted((a, b) => degreeOf(b.shape) - degreeOf(a.shape));
  const counts = accumulators.every(({ shape }) => shape.kind !== "moment");
  const watched = weighted.length > 0 || counts;
  const looksAtEach = watched || !accumulators.every(vanishes);
  const body = inside(scope);
  const ofLabel = owns.map(({ z }) => `${z} = tl.where(v == y, ${minusInfinity}, ${z})`);
  body.lines.push(
    ...owns.map((own) => row.load(own, minusInfinity)),
    ...row.atLabel(ofLabel),
    ...(looksAtEach ? [`here = ${row.grouped("inside & (v != y)")}`] : []),
  );
  for (const { model, z, m } of owns) {
    body.lines.push(
      `${z} = ${row.grouped(z)}`,
      `top = tl.maximum(${m}, tl.max(${z}, 1))`,
      `shift${ending(model)} = ${m} - top`,
      `${m} = top`,
    );
    body.known.set(meaning.shiftOf(model), real(`shift${ending(model)}`));
  }
  const conditions = weighted.flatMap(({ others }) => others);
  const entries = accumulators.map(({ entry }) => entry);
  row.distances(owns, [...entries, ...conditions], body, (m) => `${m}[:, None]`);
  for (const own of accumulators) body.known.set(own.holds, real(nameOf.get(own)!));
  for (const own of ordered) {
    const before = sum(
      body,
      moved(own, () => true, accumulators),
    );
    const entry = one(body, own.entry);
    const term = vanishes(own) ? entry : `tl.where(here, ${entry}, 0.0)`;
    body.lines.push(`${nameOf.get(own)!} = ${before} + tl.sum(${term}, 1)`);
  }
  if (watched) {
    const bad = [
      ...weighted.map(({ model, others }) =>
        [
          `(z${ending(model)} == ${minusInfinity})`,
          ...others.map((other) => `(${one(body, other)})`),
        ].join(" & "),
      ),
      ...(counts ? owns.map(({ z }) => `(${z} != ${z})`) : []),
    ].map((text) => (text.includes(" & ") ? `(${text})` : text));
    body.lines.push(
      `bad += tl.sum(tl.where(here & ${bad.length > 1 ? `(${bad.join(" | ")})` : bad[0]!}, 1.0, 0.0), 1)`,
    );
  }
  scope.lines.push(
    ...owns.flatMap(({ model, row: place, m }) => [
      `zy${ending(model)} = tl.load(${place} + y).to(tl.float32)`,
      `${m} = ${row.noGroup} + zy${ending(model)}`,
    ]),
    ...[...nameOf.values(), ...(watched ? ["bad"] : [])].map((name) => `${name} = ${row.noGroup}`),
    // the label's entry is added at the end, where it does not cancel
    ...row.overRow(body.lines),
  );
  // groups become one as parts of a row do; a name keeps its shape, or a loop that follows is refused
  const end = inside(scope);
  for (const { model, m } of owns) {
    end.lines.push(
      `highest = tl.max(${m}, 0)`,
      `shift${ending(model)} = ${m} - highest`,
      `${m} = highest`,
    );
    end.known.set(meaning.shiftOf(model), real(`shift${ending(model)}`));
  }
  for (const own of accumulators) end.known.set(own.holds, real(nameOf.get(own)!));
  for (const own of ordered) {
    const whole = one(
      end,
      moved(own, () => true, accumulators),
    );
    end.lines.push(`${nameOf.get(own)!} = ${widened(`tl.sum(${whole}, 0)`)}`);
  }
  scope.lines.push(...end.lines, ...(watched ? ["bad = tl.sum(bad, 0)"] : []));
  for (const { model, m } of owns) {
    const label = `zy${ending(model)}`;
    const isBad = `${label} == ${minusInfinity}`;
    scope.lines.push(
      `${m} = ${widened(`tl.where(${watched ? `(${isBad}) | (bad > 0.0)` : isBad}, float("nan"), ${m})`)}`,
      `${label} = ${widened(label)}`,
    );
    scope.known.set(meaning.maximumOf(model), real(m));
    scope.known.set(meaning.labelOf(model), real(label));
  }
  // the label's entry has been below the point from the start, so that nothing is moved once more
  for (const own of accumulators) {
    scope.known.set(own.holds, real(nameOf.get(own)!));
    scope.known.set(
      moved(own, () => true, accumulators),
      real(nameOf.get(own)!),
    );
  }
}

/** A later pass, which needs results of an earlier one. */
function later(pass: BlockPass, scope: Scope): void {
  const [own] = pass.accumulators as readonly [Accumulator];
  const owns = pass.models.map(row.ownOf);
  const name = scope.names.fresh(own.name);
  const body = inside(scope);
  body.lines.push(...owns.map((own) => row.load(own)));
  row.entries(owns, [own.entry], body);
  const term = `tl.where(inside, ${one(body, own.entry)}, ${own.start === 0 ? "0.0" : String(own.start)})`;
  const isSum = own.combine === "sum";
  body.lines.push(
    isSum ? `${name} += ${term}` : `${name} = ${scope.brings("larger_of")}(${name}, ${term})`,
  );
  scope.lines.push(
    `${name} = tl.full([BLOCK], ${own.start === 0 ? "0.0" : String(own.start)}, tl.float32)`,
    ...row.overRow(body.lines),
    isSum
      ? `${name} = ${widened(`tl.sum(${name}, 0)`)}`
      : // a maximum leaves out what is no number
        `${name} = tl.where(tl.sum(tl.where(${name} == ${name}, 0.0, 1.0), 0) > 0.0, float("nan"), ${widened(`tl.max(${name}, 0)`)})`,
  );
  scope.known.set(own.holds, real(name));
}

/** The pass that writes a number for each entry, where the row `target` begins. */
export function writing(
  pass: BlockPass,
  target: string,
  scope: Scope,
  filled: ReadonlyMap<string, Node>,
  fieldOf: (field: string) => Node,
): void {
  const { entry, atLabel } = pass.write!;
  const points = pass.points.map(({ model, is }) =>
    match(is)
      .with(P.union("maximum", "near"), () => meaning.maximumOf(model))
      .with({ field: P.string }, ({ field }) => fieldOf(field))
      .exhaustive(),
  );
  const [label, ...ms] = write(scope, [filled.get(atLabel)!, ...points]);
  const owns = pass.models.map(row.ownOf);
  scope.lines.push(
    `at_label = ${narrowed(label!)}`,
    ...pass.points.map(
      ({ model }, position) => `${row.ownOf(model).m} = ${narrowed(ms[position]!)}`,
    ),
  );
  const body = inside(scope);
  const leaves = ({ model }: row.Own): readonly Node[] => [
    entryOf(model),
    meaning.centred(model),
    meaning.exponential(model),
  ];
  const read = owns.filter((own) => leaves(own).some((leaf) => row.uses([entry], leaf)));
  body.lines.push(...read.map((own) => row.load(own)));
  row.distances(owns, [entry], body);
  row.entries(owns, pass.opaque, body);
  const written = sum(body, entry);
  const isOfEach = [iota("vocab"), ...read.flatMap(leaves)].some((leaf) => row.uses([entry], leaf));
  body.lines.push(
    `g = ${isOfEach ? written : `tl.zeros([BLOCK], tl.float32) + ${written}`}`,
    ...row.atLabel(["g = tl.where(v == y, at_label, g)"]),
    `tl.store(${target} + v, g, inside)`,
  );
  scope.lines.push(...row.overRow(body.lines));
}
