// What a formula returns: the loss alone, or the loss with metrics and the next state.

import { fail } from "../core/error.ts";
import type { PerExample } from "./axes.ts";
import { describe } from "./check.ts";
import type { AnyExpr, Expr } from "./expr.ts";
import { isExpr } from "./facade.ts";
import type { Definition, LossAndMetrics } from "./objective.ts";

/** Takes what a formula returned apart; `where` begins the sentence of the error. */
export function split(where: string, built: AnyExpr | LossAndMetrics): Definition {
  if (isExpr(built)) return { loss: built as Expr<PerExample>, metrics: {}, next: {} };
  if (typeof built !== "object" || built === null || !("loss" in built)) {
    return fail(
      built === undefined ? "returns-nothing" : "not-an-expression",
      `${where}: the formula returned ${describe(built)}; return the loss, or { loss, metrics, next }.`,
    );
  }
  const { loss, metrics = {}, next = {} } = built;
  if (!isRecord(metrics)) {
    fail(
      "metrics-not-a-record",
      `${where}: the metrics are ${describe(metrics)}; return { loss, metrics: { name: expression } }.`,
    );
  }
  if (!isRecord(next)) {
    fail(
      "next-not-a-record",
      `${where}: the next state is ${describe(next)}; return { loss, next: { name: expression } }.`,
    );
  }
  return { loss, metrics, next };
}

const isRecord = (value: unknown): boolean =>
  typeof value === "object" && value !== null && !isExpr(value) && !Array.isArray(value);
