// Errors that no input should provoke: what one part of the compiler checks of another, and the makers of rewrite rules.

export const internal = {
  "ill-formed-term": {
    cause: "A pass of the compiler made a term that breaks a rule of the core calculus.",
    remedy: "Report it as a bug of prefc, with the objective.",
  },
  "rule-ill-formed": {
    cause: "A rewrite rule has a pattern or a result that can never be used.",
    remedy: "Correct the rule as the sentence says.",
  },
  "rule-does-not-descend": {
    cause: "A rewrite rule could be applied for ever, because its result is not below its pattern.",
    remedy: "Turn the rule round, or see src/rewrite/termination.ts.",
  },
  "vocabulary-left": {
    cause: "A value of a row still ranges over the vocabulary after all passes over it.",
    remedy: "Report it as a bug of prefc, with the objective.",
  },
  "unsupported-input": {
    cause: "Something else than logits ranges over the vocabulary.",
    remedy: "Report it as a bug of prefc, with the objective.",
  },
  "stages-ill-formed": {
    cause:
      "A pass or a row program was to read what nothing earlier leaves, or to leave a value twice.",
    remedy: "Report it as a bug of prefc, with the objective.",
  },
  "layout-ill-formed": {
    cause: "Two values were given one place in a buffer, or one a place outside its buffer.",
    remedy: "Report it as a bug of prefc, with the objective.",
  },
  "block-ill-formed": {
    cause:
      "A pass over blocks of entries reads what it is not given, or has two results of one name.",
    remedy: "Report it as a bug of prefc, with the objective.",
  },
  "kernel-axis": {
    cause: "A row program was to reduce along an axis that only passes over the logits see.",
    remedy: "Report it as a bug of prefc, with the objective.",
  },
  "kernel-leaf": {
    cause: "A leaf reached the code of a kernel that an earlier stage should have replaced.",
    remedy: "Report it as a bug of prefc, with the objective.",
  },
  "kernel-type": {
    cause: "A kernel was to join two values of different types.",
    remedy: "Report it as a bug of prefc, with the objective.",
  },
  "kernel-ill-formed": {
    cause: "A kernel breaks a rule of the kernel level: a type, a variable, a barrier or a limit.",
    remedy: "Report it as a bug of prefc, with the objective.",
  },
  "value-not-laid-out": {
    cause: "A generator of kernels asked for a value that no buffer has.",
    remedy: "Report it as a bug of prefc, with the objective.",
  },
  "moment-missing": {
    cause: "A pass does not keep a sum that another one of its sums is corrected by.",
    remedy: "Report it as a bug of prefc, with the objective.",
  },
} as const;
