// Losses for the tests of the lower layers, written with the constructors of the core alone, so that a mistake in
// the surface language cannot hide one below it. Each ranges over the responses "w" and "l" and is a scalar.
import { tokenAxis } from "../../src/core/axis.ts";
import {
  at,
  binary,
  constant,
  count,
  param,
  reduce,
  select,
  stop,
  unary,
} from "../../src/core/build.ts";
import {
  idsOf,
  logitsOf,
  logpFromLogits,
  logSoftmaxOf,
  logpsInput,
  type ModelName,
} from "../../src/core/inputs.ts";
import type { Node } from "../../src/core/node.ts";
import type { BinaryOp } from "../../src/core/ops.ts";

const infix =
  (op: BinaryOp) =>
  (a: Node | number, b: Node | number): Node =>
    binary(op, typeof a === "number" ? constant(a) : a, typeof b === "number" ? constant(b) : b);
export const plus: (a: Node | number, b: Node | number) => Node = infix("plus");
export const minus: (a: Node | number, b: Node | number) => Node = infix("minus");
export const times: (a: Node | number, b: Node | number) => Node = infix("times");
export const over: (a: Node | number, b: Node | number) => Node = infix("over");

const neg = (x: Node): Node => unary("neg", x);
const logSigmoid = (x: Node): Node => unary("logSigmoid", x);
const sigmoid = (x: Node): Node => unary("sigmoid", x);
const meanOverTokens = (response: string, x: Node): Node =>
  over(reduce("sum", tokenAxis(response), x), count(tokenAxis(response)));

/** A loss per example means its mean over the batch. */
export const meanOverBatch = (x: Node): Node => over(reduce("sum", "batch", x), count("batch"));

export const beta: Node = param("beta", 0.1);

/** log π(v | x, y<t). */
export const logPi = (model: ModelName, response: string): Node =>
  logSoftmaxOf(logitsOf(model, response));
/** log π(y | x). */
export const logps = (model: ModelName, response: string): Node =>
  reduce("sum", tokenAxis(response), logpFromLogits(model, response));
/** log π(y | x) / π_ref(y | x). */
export const ratio = (response: string): Node =>
  minus(logps("policy", response), logps("ref", response));

const margin = minus(ratio("w"), ratio("l"));
const sigmoidLoss = neg(logSigmoid(times(beta, margin)));

const alignments = {
  sampled: (response: string) =>
    unary("log", reduce("sum", "vocab", unary("square", unary("exp", logPi("policy", response))))),
  greedy: (response: string) => reduce("max", "vocab", logPi("policy", response)),
};

/** exp of the mean over tokens of log π(y_t) minus its alignment. */
const weight = (alignment: keyof typeof alignments, response: string): Node =>
  unary(
    "exp",
    meanOverTokens(
      response,
      minus(logpFromLogits("policy", response), alignments[alignment](response)),
    ),
  );
const weighted = (alignment: keyof typeof alignments, hold: (x: Node) => Node): Node =>
  times(times(hold(weight(alignment, "w")), hold(weight(alignment, "l"))), sigmoidLoss);

const sequenceKl = (response: string): Node =>
  reduce(
    "sum",
    tokenAxis(response),
    reduce(
      "sum",
      "vocab",
      times(
        unary("exp", logPi("ref", response)),
        minus(logPi("ref", response), logPi("policy", response)),
      ),
    ),
  );
const averageLogp = (response: string): Node =>
  meanOverTokens(response, logpFromLogits("policy", response));
const odds = (response: string): Node =>
  minus(averageLogp(response), unary("log1mExp", averageLogp(response)));
const zeroPoint = unary("relu", over(reduce("sum", "batch", ratio("l")), count("batch")));
const entropyOf = (response: string): Node =>
  neg(
    reduce(
      "sum",
      "vocab",
      times(unary("exp", logPi("policy", response)), logPi("policy", response)),
    ),
  );

const same = (x: Node): Node => x;
const tokensOf = (response: string, x: Node): Node =>
  reduce("sum", "batch", reduce("sum", tokenAxis(response), x));

/** Σ over all tokens of the batch, divided by their number: TRL's sft. */
export const sft: Node = over(
  neg(tokensOf("w", logpFromLogits("policy", "w"))),
  reduce("sum", "batch", count(tokenAxis("w"))),
);

/** By name; every one is smooth where the generated logits put it, except at ties of greedy's maximum. */
export const losses: Readonly<Record<string, Node>> = {
  dpo: meanOverBatch(sigmoidLoss),
  "wpo-sampled, differentiated": meanOverBatch(weighted("sampled", same)),
  "wpo-greedy, differentiated": meanOverBatch(weighted("greedy", same)),
  "wpo-sampled": meanOverBatch(weighted("sampled", stop)),
  ipo: meanOverBatch(unary("square", minus(margin, 5))),
  "kto-like": meanOverBatch(
    plus(
      minus(1, sigmoid(times(beta, minus(ratio("w"), zeroPoint)))),
      minus(1, sigmoid(times(beta, minus(zeroPoint, ratio("l"))))),
    ),
  ),
  orpo: meanOverBatch(
    minus(neg(averageLogp("w")), times(beta, logSigmoid(minus(odds("w"), odds("l"))))),
  ),
  tdpo: meanOverBatch(
    neg(
      logSigmoid(minus(times(beta, margin), times(0.05, minus(sequenceKl("l"), sequenceKl("w"))))),
    ),
  ),
  sft,
  entropy: meanOverBatch(meanOverTokens("w", entropyOf("w"))),
  "cached reference": meanOverBatch(
    neg(
      logSigmoid(
        times(
          beta,
          minus(
            minus(logps("policy", "w"), logpsInput("ref", "w")),
            minus(logps("policy", "l"), logpsInput("ref", "l")),
          ),
        ),
      ),
    ),
  ),
  "positive margins only": meanOverBatch(
    select(binary("gt", margin, constant(0)), unary("square", margin), times(0.5, margin)),
  ),
  "log-probability of the label, squared": over(
    tokensOf("l", unary("square", at(logPi("policy", "l"), "vocab", idsOf("l")))),
    7,
  ),
};
