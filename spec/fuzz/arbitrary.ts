// Random cases as a fast-check arbitrary: drawn from one number, shrunk as programs and batches, and shown as corpus entries.
import fc from "fast-check";
import { isWellDefined } from "./admit.ts";
import { entryText, type Case } from "./case.ts";
import { draw, type DrawOptions } from "./draw.ts";
import { smaller } from "./shrink.ts";

class Cases extends fc.Arbitrary<Case> {
  readonly options: DrawOptions;
  constructor(options: DrawOptions) {
    super();
    this.options = options;
  }
  override generate(random: fc.Random): fc.Value<Case> {
    return shown(draw(random.nextInt(0, 0xffffffff), this.options));
  }
  override canShrinkWithoutContext(value: unknown): value is Case {
    return typeof value === "object" && value !== null && "batch" in value && "loss" in value;
  }
  override shrink(value: Case): fc.Stream<fc.Value<Case>> {
    return fc.stream(smaller(value)).filter(isWellDefined).map(shown);
  }
}

/** A failure prints what can be kept in the corpus and replayed. */
const shown = (one: Case): fc.Value<Case> =>
  new fc.Value({ ...one, [fc.toStringMethod]: () => entryText({ ...one, found: [] }) }, undefined);

/** Well-typed programs over the whole language, well defined on the batches that come with them. */
export const cases = (options: DrawOptions = {}): fc.Arbitrary<Case> => new Cases(options);
