// Windows of rows when several models are read in one loop. A window of the first tensor's rows needs, of every
// further tensor, the rows of the same tokens; those must fit a binding too, wherever they lie. A window whose
// partners do not fit is halved until they do.

import { fail } from "../../core/error.ts";
import { otherDispatch } from "../../kernel/kernel.ts";
import type { LogitsTensor } from "../../batch/batch.ts";
import { dtypeOf } from "../../batch/logits.ts";
import { bytesPerEntry } from "../../core/storage.ts";
import type { BindingLimits } from "./dispatches.ts";
import { rowStep, windows, type RowGroup, type Window } from "./stack.ts";
import { cite } from "../../core/quote.ts";

/** The part of a further tensor that a window is read with. */
export interface Partner {
  readonly window: Window;
  /** The row of each stacked token, counted from the part's first row. */
  readonly rowOf: Uint32Array;
}
export interface JointWindow {
  readonly window: Window;
  /** In the order of the group's tensors, without the first. */
  readonly partners: readonly Partner[];
}

/** Cuts the tensors of a group together. @throws PrefcError row-exceeds-binding, rows-apart */
export function jointWindows(
  group: RowGroup,
  vocab: number,
  limits: BindingLimits,
): readonly JointWindow[] {
  const [first, ...others] = group.tensors;
  const { model, tensor } = first!;
  const bytesOf = (of: LogitsTensor): number => vocab * bytesPerEntry(dtypeOf(of));
  const rowBytes = bytesOf(tensor);
  const step = rowStep(limits.alignment, rowBytes);

  /** The aligned rows of another tensor that the tokens of a window lie in. */
  const spanOf = (window: Window, position: number): Window => {
    const rowOf = group.rowOf[position]!;
    let [from, to] = [Infinity, 0];
    for (let row = window.firstRow; row < window.firstRow + window.rows; row++) {
      const token = group.tokenOf[row]!;
      if (token >= otherDispatch) continue;
      from = Math.min(from, rowOf[token]!);
      to = Math.max(to, rowOf[token]! + 1);
    }
    // a window without tokens reads nothing of its partners, but something must be bound
    if (to === 0) return { firstRow: 0, rows: 1 };
    const own = rowStep(limits.alignment, bytesOf(others[position]!.tensor));
    const firstRow = Math.floor(from / own) * own;
    return { firstRow, rows: to - firstRow };
  };
  const fits = (rows: number, position: number): boolean =>
    rows * bytesOf(others[position]!.tensor) <= limits.maxBinding;
  const partner = (window: Window, position: number): Partner => {
    const rowOf = group.rowOf[position]!;
    const { rows } = others[position]!.tensor;
    if (fits(rows, position)) return { window: { firstRow: 0, rows }, rowOf };
    const span = spanOf(window, position);
    return { window: span, rowOf: rowOf.map((row) => Math.max(0, row - span.firstRow)) };
  };
  const fitted = (window: Window): readonly JointWindow[] => {
    const partners = others.map((_, position) => partner(window, position));
    const large = partners.findIndex(({ window: { rows } }, position) => !fits(rows, position));
    if (large < 0) return [{ window, partners }];
    if (window.rows <= step) {
      const { model: other, tensor: far } = others[large]!;
      fail(
        "rows-apart",
        `The ${other} logits ${cite(far.name)} that belong to rows ${window.firstRow} to ${window.firstRow + window.rows - 1} of the ${model} logits ${cite(tensor.name)} lie ${partners[large]!.window.rows} rows apart, more than the ${limits.maxBinding} bytes that the adapter binds; lay out the logits of both models alike.`,
      );
    }
    const half = Math.ceil(window.rows / 2 / step) * step;
    return [
      ...fitted({ firstRow: window.firstRow, rows: half }),
      ...fitted({ firstRow: window.firstRow + half, rows: window.rows - half }),
    ];
  };
  const what = `the ${model} logits ${cite(tensor.name)}`;
  return windows(tensor.rows, rowBytes, limits, what).flatMap(fitted);
}
