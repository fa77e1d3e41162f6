// Errors of data: batches in every layout, parameters and states at run time, and what the interpreter finds in them.

export const batches = {
  "json-malformed": {
    cause: "A text that should be JSON is not, most often because it was cut short.",
    remedy: "Correct it at the line and the key that the sentence names, or write it again.",
  },
  "json-key-twice": {
    cause:
      "A key stands twice in one object of a JSON text, so that one of two values would be lost.",
    remedy: "Remove one of the two.",
  },
  "json-too-deep": {
    cause: "Arrays or objects of a JSON text are nested deeper than any tensor is.",
    remedy: "Write the text again.",
  },
  "not-a-batch": {
    cause: "Something else than a batch was given where one is taken.",
    remedy: "Make one with fromTrl, fromResponses, fromPacked or fromUnpaired.",
  },
  "unknown-field": {
    cause:
      "A batch is given with a field that its layout does not have, so that it would not be read.",
    remedy: "Correct the name; the sentence lists the fields.",
  },
  "empty-batch": {
    cause: "A batch has no example.",
    remedy: "Give at least one; a mean over nothing is no number.",
  },
  "empty-completion": {
    cause: "An example has no completion token in a response.",
    remedy: "Leave the example out, or give it at least one token.",
  },
  "empty-list": {
    cause: "An example has no response in a list.",
    remedy: "Leave the example out, or give it at least one response.",
  },
  "missing-list": {
    cause: "The objective reads a list of responses that the batch does not bring.",
    remedy: "Give fromResponses the labels of each response of each example.",
  },
  "list-uneven": {
    cause: "What is given for the responses of a list does not fit how many there are.",
    remedy: "Give a list for each example, as long as the example has responses.",
  },
  "sizes-twice": {
    cause: "Nested labels and sizes both say how many responses an example has.",
    remedy: "Leave sizes out.",
  },
  "vocabulary-size": {
    cause: "The vocabulary of a batch is not a whole number of at least 1.",
    remedy: "Give the width of a row of logits.",
  },
  "vocabulary-needed": {
    cause: "Nothing in a batch tells how long a row of logits is.",
    remedy: "Give vocab_size.",
  },
  "vocabulary-differs": {
    cause: "Two sources of logits, or vocab_size, do not agree on the length of a row.",
    remedy: "Make them agree; cut padding of the vocabulary from the longer one.",
  },
  "missing-response": {
    cause: "A response is read or named that the batch or the objective does not have.",
    remedy: "Supply the response, or correct its name.",
  },
  "missing-input": {
    cause: "The objective reads an input that the batch does not bring.",
    remedy: "Supply it as the sentence says.",
  },
  "input-height": {
    cause: "An input is given per example where the objective reads it per token, or the like.",
    remedy: "Supply it at the height that the sentence names.",
  },
  "input-axes": {
    cause: "An expression reads an input whose axes no batch can bring.",
    remedy: "Make inputs through the functions of the surface language.",
  },
  "input-dtype": {
    cause: "The values of an input are no typed array of floats.",
    remedy: "Give a Float32Array or a Float64Array.",
  },
  "input-length": {
    cause: "An input has more or fewer values than the batch has examples or tokens.",
    remedy: "Give one for each.",
  },
  "input-not-finite": {
    cause: "A number of an input is NaN, infinite, or outside the range of f32.",
    remedy: "Find out where it comes from; the sentence names its place.",
  },
  "labels-length": {
    cause: "A response has more or fewer labels than its offsets say.",
    remedy: "Make the two agree.",
  },
  "label-out-of-range": {
    cause: "A token id is negative, a fraction, or not below the size of the vocabulary.",
    remedy: "Correct the id; tokens to be ignored have mask 0.",
  },
  "label-impossible": {
    cause:
      "The logit of a token that was sampled is −Infinity or below −2^96, so its probability would be 0.",
    remedy: "Unmask the entry, or drop the example.",
  },
  "label-not-boolean": {
    cause: "A label of an unpaired batch is neither true nor false.",
    remedy: "Give true for a desirable completion and false for an undesirable one.",
  },
  "label-length": {
    cause: "An unpaired batch has more or fewer labels than rows.",
    remedy: "Give one for each row.",
  },
  "offsets-length": {
    cause: "The list of offsets does not fit the number of examples or tokens.",
    remedy: "Give one more offset than examples; the last is the number of tokens.",
  },
  "offsets-start": {
    cause: "A list of offsets does not start at 0.",
    remedy: "Begin it with 0.",
  },
  "offsets-not-ascending": {
    cause: "An offset is smaller than the one before it.",
    remedy: "Give the running sum of the lengths.",
  },
  "lengths-needed": {
    cause: "Labels are one flat list, so that examples cannot be told apart.",
    remedy: "Give lengths or offsets, or one list of labels per example.",
  },
  "rows-needed": {
    cause:
      "Several responses share one tensor of logits, and nothing says which row belongs to which token.",
    remedy: "Name the rows of each response.",
  },
  "row-index-length": {
    cause: "The rows named for a response are more or fewer than its tokens.",
    remedy: "Give one row per token.",
  },
  "row-out-of-range": {
    cause: "A token reads a row that its tensor of logits does not have.",
    remedy: "Correct the index or give all rows.",
  },
  "row-used-twice": {
    cause: "One row of logits predicts two tokens, so its gradient would be written twice.",
    remedy: "Give each token a row of its own.",
  },
  "logits-dtype": {
    cause:
      "Logits are in nothing that holds numbers of their dtype, which is f32 if none is given.",
    remedy: "Convert them; 16-bit numbers come as raw bits in a Uint16Array, with their dtype.",
  },
  "dtype-differs": {
    cause: "The logits of one model are stored in two types, or the same data is given as two.",
    remedy:
      "Give all logits of a model in one dtype; the policy's may differ from the reference's.",
  },
  "logits-length": {
    cause: "A tensor of logits cannot be cut into the rows that it should have.",
    remedy: "Give exactly one row of vocabulary size for each position.",
  },
  "logits-too-small": {
    cause: "A tensor holds fewer logits than its rows need.",
    remedy: "Give all rows, or correct the size of the vocabulary.",
  },
  "logits-not-finite": {
    cause: "A logit is NaN, +Infinity or above 2^96.",
    remedy: "Find out where it comes from; { locate: true } tells the column.",
  },
  "not-an-array": {
    cause: "Something else than an array was given where numbers are listed.",
    remedy: "Give an array or a typed array of numbers.",
  },
  "not-a-number": {
    cause: "A list of numbers holds something else.",
    remedy: "Give numbers only; the sentence names the position.",
  },
  "not-an-index": {
    cause: "A list of whole numbers holds a negative number, a fraction, or one above 2³² − 1.",
    remedy: "Give whole numbers from 0 upward.",
  },
  "not-a-record": {
    cause: "A batch, or a part of it, is not an object with parts by name.",
    remedy: "Give what the function's type describes.",
  },
  "names-expected": {
    cause:
      "A list of names is no list, is empty, or holds a name twice or something else than text.",
    remedy: "Give different names, each a string.",
  },
  "not-flat": {
    cause: "A nested list was given where a flat one is read.",
    remedy: "Give a flat list.",
  },
  "nesting-uneven": {
    cause: "The rows of a nested list differ in length.",
    remedy: "Pad or cut them to one length.",
  },
  "missing-parameter": {
    cause: "A parameter has no default and was given no value.",
    remedy: "Give it under params.",
  },
  "unknown-parameter": {
    cause: "A parameter is given that the objective does not have.",
    remedy: "Correct the name; the sentence lists what it takes.",
  },
  "parameter-not-finite": {
    cause: "The value or default of a parameter is no finite number.",
    remedy: "Give a finite number.",
  },
  "parameter-out-of-range": {
    cause:
      "The value or default of a parameter is outside the range that its formula has a meaning in.",
    remedy: "Give a number of the range that the sentence names.",
  },
  "parameter-exceeds-f32": {
    cause: "The value of a parameter is outside the range of f32, in which kernels compute.",
    remedy: "Rescale it.",
  },
  "missing-state": {
    cause: "Only a part of the state of the step before is given.",
    remedy: "Give all of what the step before returned, or nothing for the first step.",
  },
  "state-not-finite": {
    cause: "The value of a state is no finite number.",
    remedy: "Give the finite number that the step before returned.",
  },
  "division-by-zero": {
    cause: "The objective divides by something that can be known before the run and is 0.",
    remedy: "Change the parameter or the batch as the sentence says.",
  },
  "index-out-of-range": {
    cause: "An index of at(…) lies outside its axis.",
    remedy: "Keep it from 0 to one less than the number of entries.",
  },
  "difference-undefined": {
    cause:
      "Central differences were asked for of what is no scalar, or of an input that is not read.",
    remedy: "Reduce the expression, or name one of its inputs.",
  },
  "reference-needs-host-data": {
    cause: "The interpreter was given values in a GPU buffer.",
    remedy: "Give them as a typed array.",
  },
  "parts-missing": {
    cause: "Parts of a batch were to be put together, and what was given are no results of them.",
    remedy: "Give a list of what value or valueAndGrad of the same compiled objective returned.",
  },
  "loss-not-additive": {
    cause:
      "Parts of a batch were to be put together, and the loss takes something from the whole batch, or averages over two counts.",
    remedy: "Run the whole batch at once; docs/accumulation.md lists these objectives.",
  },
} as const;
