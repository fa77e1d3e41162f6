// Errors of single expressions: operands, numbers, axes and the text that terms are parsed from.

export const expressions = {
  "not-a-node": {
    cause: "The interpreter was given something else than a list of nodes.",
    remedy: "Give nodes, such as [objective.loss] or [expression.node].",
  },
  "not-an-expression": {
    cause: "An operator was given something that is neither an expression nor a number.",
    remedy: "Give an expression, or a number, which stands for a constant.",
  },
  "javascript-operator": {
    cause:
      "JavaScript's +, -, *, / or < was used between expressions, which gives a number or text.",
    remedy: "Use the methods of expressions, for example a.plus(b), a.times(b) and a.gt(b).",
  },
  "dtype-mismatch": {
    cause: "An operand has a type (f32, i32 or bool) that the operator does not take.",
    remedy: "Convert it: real(…) makes a real number, and comparing makes a bool.",
  },
  "number-not-finite": {
    cause: "A number written in a formula is NaN or infinite.",
    remedy: "Write a finite number, or param(…) for one that is known later.",
  },
  "number-not-an-integer": {
    cause: "A number that stands beside whole numbers has a fraction.",
    remedy: "Write a whole number, or make the other side real with real(…).",
  },
  "constant-not-a-number": {
    cause: "A constant of the core calculus is NaN.",
    remedy: "Give a finite number; find out where the NaN was computed.",
  },
  "constant-not-finite": {
    cause: "A constant of the core calculus is infinite.",
    remedy: "Give a finite number; a bound that never holds can be left out.",
  },
  "clamp-bounds": {
    cause: "The bounds of clamp are missing, of another kind, or a minimum above its maximum.",
    remedy: "Write clamp(x, { min, max }) with one or both, the smaller one as min.",
  },
  "unknown-axis": {
    cause: "A reduction was asked for along something that is no axis.",
    remedy: 'Write "batch", "token" or "vocab" first and the expression after it.',
  },
  "axis-not-present": {
    cause: "The expression does not range over the axis that is reduced.",
    remedy: "Reduce one of its own axes, or multiply it by count(…), if that is what is meant.",
  },
  "axis-already-reduced": {
    cause: "The axis was reduced before, so the expression no longer ranges over it.",
    remedy: "Remove one of the two reductions.",
  },
  "axis-may-be-empty": {
    cause: "A prompt may have no token to predict, and nothing has a mean, maximum or logSumExp.",
    remedy: "Use a sum and a count, for example over the whole batch.",
  },
  "axis-not-batch": {
    cause:
      "An operation along the batch was given another axis, or more than one number per example.",
    remedy: 'Write "batch", and reduce tokens and vocabulary first.',
  },
  "ragged-order": {
    cause:
      "The batch was reduced while the expression still ranges over tokens, whose number differs.",
    remedy: 'Reduce "token" before "batch".',
  },
  "token-axes-differ": {
    cause:
      "One operator joins the tokens of two responses, which have nothing to do with each other.",
    remedy: "Reduce one side over its tokens first.",
  },
  "pairs-of-tokens": {
    cause: "An expression ranges over tokens and over pairs of responses at once.",
    remedy: "Reduce the tokens before responses are compared.",
  },
  "pairs-per-response": {
    cause: "Responses of a list are compared by something else than one number for each.",
    remedy: "Reduce the expression to one number per response first.",
  },
  "response-not-a-list": {
    cause: "A response of which an example has one was used where a list is meant.",
    remedy: "Declare the response as list(…), or use what there is for single responses.",
  },
  "prompt-of-list": {
    cause: "The prompt of a list of responses was asked for, which all of them share.",
    remedy: "Declare a response with the prompt's tokens.",
  },
  "index-axis": {
    cause: "The index of at(…) ranges over an axis that the indexed expression does not have.",
    remedy: "Index with fewer axes.",
  },
  "sort-axis": {
    cause:
      "Something else than one number per example was sorted, or along another axis than the batch.",
    remedy: "Reduce to one number per example and sort along the batch.",
  },
  "gradient-of-at": {
    cause:
      "A gradient passes through an index along an axis that the index itself ranges over, or from the tokens of one response to those of another.",
    remedy:
      "Sort along the batch, index tokens alike for all tokens of an example, or stop the gradient of what is picked from.",
  },
  "gradient-of-non-scalar": {
    cause: "A gradient was asked for of an expression that is not one real number.",
    remedy: 'Reduce it to one number first, for example with mean("batch", …).',
  },
  "parse-error": {
    cause: "The text of a printed term does not follow its grammar.",
    remedy: "Correct it at the line and column that the sentence names.",
  },
} as const;
