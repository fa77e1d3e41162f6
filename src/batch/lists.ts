// Lists of responses as callers bring them: labels nested once more, example by example, or flat with the number of responses of
// each example. Numbers per response may be nested by example as well.

import { listOf, rowsOfList } from "../core/axis.ts";
import { fail } from "../core/error.ts";
import { entryPath } from "../core/json.ts";
import type { ResponseTokens } from "./batch.ts";
import { indices, isNested, reals, type Numbers } from "./numbers.ts";

/** Labels of single responses, or of lists of them. */
export type Labels = Numbers | readonly Numbers[] | readonly (readonly Numbers[])[];

/** A list of responses with the name that the core gives it; `sizes` is K of each example. */
export interface ListData {
  readonly core: string;
  readonly sizes: Uint32Array;
}

/** How many responses each example has, where it has a list of them; null where it has one. */
export function listData(
  name: string,
  data: { readonly labels: Labels; readonly sizes?: Numbers },
  what: string,
): ListData | null {
  const { labels, sizes } = data;
  const isNestedTwice =
    isNested(labels) && Array.from<unknown>(labels).some((one) => isNested(one));
  if (sizes === undefined && !isNestedTwice) return null;
  if (!isNestedTwice) return { core: listOf(name), sizes: indices(sizes!, `${what}.sizes`) };
  if (sizes !== undefined) {
    fail(
      "sizes-twice",
      `${what}.labels are nested by example and by response, so that sizes says it again; leave sizes out.`,
    );
  }
  const all = Array.from<unknown>(labels as readonly unknown[]);
  const wrong = all.findIndex((one) => !isNested(one) && (one as Numbers)?.length !== 0);
  if (wrong >= 0) {
    fail(
      "list-uneven",
      `${what}.labels has a list of responses for some examples, but one response for example ${wrong}; give a list of responses for each example, e.g. [[[5, 2], [7]], [[4]]].`,
    );
  }
  return { core: listOf(name), sizes: Uint32Array.from(all, (one) => (one as Numbers).length) };
}

/** Labels nested by response only. */
export const byResponse = (labels: Labels): Numbers | readonly Numbers[] =>
  isNested(labels) && Array.from<unknown>(labels).some((one) => isNested(one))
    ? (labels as readonly (readonly Numbers[])[]).flat()
    : (labels as Numbers | readonly Numbers[]);

/** The responses of a list, a row each, as the batch holds them. */
export function rowsOf({ core, sizes }: ListData): readonly [string, ResponseTokens] {
  const offsets = new Uint32Array(sizes.length + 1);
  sizes.forEach((size, example) => (offsets[example + 1] = offsets[example]! + size));
  return [rowsOfList(core), { offsets, labels: new Uint32Array(offsets.at(-1)!) }];
}

/** A number for each response, one after another, from one list or from one for each example. */
export function perResponse(
  values: Numbers | readonly Numbers[],
  what: string,
  { sizes }: ListData,
): Float32Array | Float64Array {
  if (!isNested(values)) return reals(values, what);
  const lists = values;
  if (lists.length !== sizes.length) {
    fail(
      "list-uneven",
      `${what} has lists for ${lists.length} examples, but there are ${sizes.length}; give one for each.`,
    );
  }
  lists.forEach((list, example) => {
    if (list.length === sizes[example]) return;
    fail(
      "list-uneven",
      `${what} has ${list.length} numbers for example ${example}, which has ${sizes[example]} responses; give one for each.`,
    );
  });
  return Float64Array.from(
    lists.flatMap((list, example) => Array.from(reals(list, entryPath(what, example)))),
  );
}
