// Errors of batches of whole sequences: masks, shapes, and positions that do not fit each other.

export const layouts = {
  "mask-needed": {
    cause: "A batch of whole sequences does not say which tokens belong to the completion.",
    remedy: "Give completion_mask, or token ids of -100 where a token has no loss.",
  },
  "logits-shifted": {
    cause:
      "Logits of whole sequences have one position less than the token ids, as after a shift by one.",
    remedy: "Give the logits of all positions as the model returns them.",
  },
  "mask-length": {
    cause: "A mask has more or fewer entries than there are token ids.",
    remedy: "Give one entry for each token id.",
  },
  "masked-entry-weighted": {
    cause:
      "A logit is −Infinity where the objective gives its log-probability a weight, as a divergence does whose other model has no mask there.",
    remedy: "Mask the entry in both models or in none.",
  },
  "mask-value": {
    cause: "A mask holds something else than 0 and 1.",
    remedy: "Give 1 for completion tokens and 0 for all others.",
  },
  "tokens-length": {
    cause: "Numbers given per token are more or fewer than the token ids.",
    remedy: "Give one for each token id.",
  },
  "sequences-uneven": {
    cause: "The sequences of a batch cannot be shared evenly by its responses.",
    remedy: "Give as many sequences for each response.",
  },
  "shape-needed": {
    cause: "Token ids are flat, so that rows cannot be told apart.",
    remedy: "Give shape: [rows, length, vocabulary], or nested arrays.",
  },
  "shape-mismatch": {
    cause: "The shape that is given and the data do not agree.",
    remedy: "Make them agree.",
  },
} as const;
