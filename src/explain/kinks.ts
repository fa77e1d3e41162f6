// Kinks at the first step, for people: each term with where it bends, and which slope is taken here and elsewhere.

import { kinkText } from "../kinks/told.ts";
import type { Explanation } from "./json.ts";
import { broken } from "./units.ts";

const width = 96;

/** Lines for the kinks, indented as the explanation's are. */
export function kinkLines({ kinks }: Pick<Explanation, "kinks">): readonly string[] {
  if (kinks.length === 0) return ["  none"];
  return kinks.flatMap((kink) =>
    broken(kinkText(kink), width).map(
      (line, position) => `${position === 0 ? "  " : "    "}${line}`,
    ),
  );
}
