// Errors of whole objectives: their names, what a formula returns, parameters, states, options and combinations.

export const objectives = {
  "name-not-a-string": {
    cause: "A name of an objective, response, parameter, state or input is no text.",
    remedy: "Give a string.",
  },
  "name-empty": {
    cause: "A name is the empty string.",
    remedy: "Give a string of at least one character.",
  },
  "name-too-long": {
    cause: "A name is longer than the sentence says.",
    remedy: "Give a shorter one; the source of a formula has a place of its own.",
  },
  "name-of-two": {
    cause:
      "A parameter and a state have the same name, so a value given by name would be ambiguous.",
    remedy: "Rename one of them.",
  },
  "formula-not-a-function": {
    cause: "An objective was given something else than a function as its formula.",
    remedy: "Give a function from what is given (policy, ref, y, …) to the loss.",
  },
  "source-missing": {
    cause: "An objective does not say where its formula comes from.",
    remedy: 'Add { source: "paper, equation" }; "own" is an answer, too.',
  },
  "responses-not-a-list": {
    cause: "The responses of an objective are not given as a list.",
    remedy: 'Give a list of names such as ["w", "l"].',
  },
  "responses-missing": {
    cause: "An objective declares no response, so it could read nothing.",
    remedy: "Name at least one.",
  },
  "response-twice": {
    cause: "Two responses of an objective have one name.",
    remedy: "Give each its own name.",
  },
  "unknown-response": {
    cause: "A formula reads a response that the objective does not declare.",
    remedy: "Declare it, or read one of those that the sentence lists.",
  },
  "models-not-a-list": {
    cause: "The models of an objective are not given as a list.",
    remedy: 'Give a list of names such as ["teacher"].',
  },
  "model-name": {
    cause: "A model has a name that is no plain word or that means something else already.",
    remedy: 'Take words of letters and digits joined by "_", such as "teacher".',
  },
  "unknown-model": {
    cause:
      "A formula reads a model that the objective does not declare, perhaps by a misspelt name.",
    remedy: 'Correct the name, or declare the model: { source, models: ["teacher"] }.',
  },
  "input-declared-twice": {
    cause: "A formula declares the values of one input in two ways.",
    remedy: "Declare them once.",
  },
  "prompt-of-prompt": {
    cause: "A prompt was asked for its prompt.",
    remedy: "Give a completion, for example prompt(y.w).",
  },
  "returns-nothing": {
    cause: "A formula, or one of its metrics, is undefined; most often a return is missing.",
    remedy: "Return the loss, or { loss, metrics, next }.",
  },
  "axis-left-over": {
    cause: "A loss or a metric still ranges over tokens or the vocabulary.",
    remedy: 'Reduce it, for example with sum("token", …); the batch may stay.',
  },
  "metrics-not-a-record": {
    cause: "The metrics of a formula are no object of expressions by name.",
    remedy: "Return { loss, metrics: { name: expression } }.",
  },
  "metric-name-reserved": {
    cause: 'A metric is called "loss", which is always reported.',
    remedy: "Rename it.",
  },
  "next-not-a-record": {
    cause: "The next state of a formula is no object of expressions by name.",
    remedy: "Return { loss, next: { name: expression } }.",
  },
  "state-without-next": {
    cause: "A formula reads a state and does not say what the next step is to find there.",
    remedy: "Return its next value under next.",
  },
  "state-per-example": {
    cause: "The next value of a state is one number per example.",
    remedy: 'Reduce it to one number, for example with mean("batch", …).',
  },
  "unknown-state": {
    cause: "A state is given, or given a next value, that the objective does not read.",
    remedy: "Correct the name or leave it out.",
  },
  "input-names-collide": {
    cause: "Two inputs of an objective have one name and different shapes.",
    remedy: "Rename one of them.",
  },
  "parameter-defaults-differ": {
    cause: "A parameter is written twice with two defaults.",
    remedy: "Give it one default.",
  },
  "state-defaults-differ": {
    cause: "A state is written twice with two initial values.",
    remedy: "Give it one initial value.",
  },
  "reference-free-logits": {
    cause: "A reference-free objective reads the logits of the reference, which it does not have.",
    remedy: "Keep the reference, or use ref.logp or ref.logps, which are 0.",
  },
  "argument-kind": {
    cause: "A function of the language was given something else than it takes, such as no model.",
    remedy: "Give what the sentence names.",
  },
  "not-an-objective": {
    cause: "Something else than an objective was given where one is taken.",
    remedy:
      "Give what objective(…) or a function of a built-in returns; call the function, await a promise.",
  },
  "unknown-objective": {
    cause: "There is no built-in objective of that name.",
    remedy: "Correct the name; prefc explain --help lists them.",
  },
  "unknown-option": {
    cause: "A function, an objective or a command has no option of that name.",
    remedy: "Correct the name; the sentence lists the options or says where they are listed.",
  },
  "option-value": {
    cause: "The value of an option is not of the kind that the option takes.",
    remedy: "Give what the sentence asks for.",
  },
  "option-does-not-apply": {
    cause: "An option is given that the chosen variant does not read.",
    remedy: "Leave it out, or choose a variant that reads it.",
  },
  "loss-type": {
    cause: "The option loss_type names no loss, an unknown one, or one twice.",
    remedy: "Name each loss once, from those that the sentence lists.",
  },
  "loss-weights": {
    cause: "The option loss_weights does not fit the option loss_type.",
    remedy: "Give one finite number for each loss type.",
  },
  "already-smoothed": {
    cause: "Label smoothing was applied to a loss that has an option for it.",
    remedy: "Use that option.",
  },
  "combination-without-effect": {
    cause: "A combinator changes nothing in the loss that it is applied to.",
    remedy: "Apply it to a loss that depends on what it changes.",
  },
  "weight-of-sorted": {
    cause:
      "The losses of an objective that sorts along the batch belong to no pair to be weighted.",
    remedy: "Weight a loss of single pairs.",
  },
  "mix-of-nothing": {
    cause: "A mixture has no parts.",
    remedy: "Give at least one, as { name: [objective, weight] }.",
  },
  "mix-part": {
    cause: "A part of a mixture is not a pair of an objective and a weight.",
    remedy: "Write name: [objective, weight].",
  },
  "kernel-too-large": {
    cause: "A kernel that an objective needs is longer than drivers can be given.",
    remedy:
      "Write the objective with fewer different terms along the vocabulary, or fewer nested ones.",
  },
  "states-differ": {
    cause: "Two parts of a mixture leave different values in one state.",
    remedy: "Rename one of the states.",
  },
} as const;
