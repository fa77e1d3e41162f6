// What an objective may be: its name, responses, formula, source, loss and metrics, each broken once.

import { iota, objective, real } from "../../src/dsl/index.ts";
import { given } from "../../src/dsl/given.ts";
import { any, describeMisuses } from "./misuse.ts";

const g = given("the test", ["w", "l"]);
const { policy, y } = g;
const w = policy.logp(y.w);
const logps = policy.logps(y.w);
const about = { source: "a test" };

const pair = (formula: (given: typeof g) => unknown): unknown =>
  objective("o", ["w", "l"], any(formula), about);

describeMisuses("objectives", [
  [
    "an empty name",
    "name-empty",
    /^objective: the name is empty/,
    () => objective("", ["w"], () => logps, about),
  ],
  [
    "a name that is no string",
    "name-not-a-string",
    /^objective: the name is a function/,
    () =>
      objective(
        any(() => logps),
        any(["w"]),
        any(undefined),
        about,
      ),
  ],
  [
    "responses that are no list",
    "responses-not-a-list",
    /^objective "o": the responses are the string "wl"/,
    () => objective("o", any("wl"), () => logps, about),
  ],
  [
    "no responses",
    "responses-missing",
    /it declares no response/,
    () => objective("o", [], () => logps, about),
  ],
  [
    "a response twice",
    "response-twice",
    /the response "w" is declared twice/,
    () => objective("o", ["w", "w"], () => logps, about),
  ],
  [
    "a response without a name",
    "name-empty",
    /a response: the name is empty/,
    () => objective("o", ["w", ""], () => logps, about),
  ],
  [
    "a response with a long name",
    "name-too-long",
    /a response: the name has 300 characters/,
    () => objective("o", ["w".repeat(300)], () => logps, about),
  ],
  [
    "no formula",
    "formula-not-a-function",
    /^objective "o": the formula is undefined/,
    () => objective("o", ["w"], any(undefined), about),
  ],
  [
    "an expression for a formula",
    "formula-not-a-function",
    /give a function of what is given/,
    () => objective("o", ["w"], any(logps), about),
  ],
  [
    "no source",
    "source-missing",
    /say where the formula comes from/,
    () => objective("o", ["w"], () => logps, any(undefined)),
  ],
  [
    "a blank source",
    "source-missing",
    /no source is given/,
    () => objective("o", ["w"], () => logps, { source: " " }),
  ],
  [
    "nothing returned",
    "returns-nothing",
    /^objective "o": the formula returned undefined; return the loss/,
    () => pair(() => undefined),
  ],
  [
    "a loss that is undefined",
    "returns-nothing",
    /the loss is undefined/,
    () => pair(() => ({ loss: undefined })),
  ],
  [
    "a string returned",
    "not-an-expression",
    /the formula returned the string "loss"/,
    () => pair(() => "loss"),
  ],
  [
    "an async formula",
    "not-an-expression",
    /the formula returned a promise/,
    () => pair(() => Promise.resolve(logps)),
  ],
  [
    "a loss per token",
    "axis-left-over",
    /^objective "o": the loss still ranges over the tokens of "w"; reduce it first, e\.g\. sum\("token", …\)/,
    () => pair(() => w),
  ],
  [
    "a loss per vocabulary entry",
    "axis-left-over",
    /the loss still ranges over vocab; reduce it first, e\.g\. sum\("vocab", …\)/,
    () => pair(() => iota("vocab").eq(1) && real(iota("vocab"))),
  ],
  [
    "a loss that is a condition",
    "dtype-mismatch",
    /the loss is bool/,
    () => pair(() => logps.gt(0)),
  ],
  [
    "a metric per token",
    "axis-left-over",
    /the metric "m" still ranges over the tokens of "w"/,
    () => pair(() => ({ loss: logps, metrics: { m: w } })),
  ],
  [
    "a metric that is undefined",
    "returns-nothing",
    /the metric "m" is undefined/,
    () => pair(() => ({ loss: logps, metrics: { m: undefined } })),
  ],
  [
    "a metric called loss",
    "metric-name-reserved",
    /a metric is called "loss"/,
    () => pair(() => ({ loss: logps, metrics: { loss: logps } })),
  ],
  [
    "a metric without a name",
    "name-empty",
    /a metric: the name is empty/,
    () => pair(() => ({ loss: logps, metrics: { "": logps } })),
  ],
  [
    "metrics that are no record",
    "metrics-not-a-record",
    /the metrics are the string "accuracy"/,
    () => pair(() => ({ loss: logps, metrics: "accuracy" })),
  ],
]);
