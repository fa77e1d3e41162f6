// Errors of the command line: arguments, modules that hold an objective, and recorded files.

export const commands = {
  "emit-not-written": {
    cause: "The file that --out names cannot be written.",
    remedy: "Give a file in a folder that exists and that you may write to.",
  },
  "output-is-input": {
    cause: "The file that a command would write is one that it reads.",
    remedy: "Give another file.",
  },
  "plot-objective": {
    cause: "An objective has no curve against what it was to be drawn against.",
    remedy: "Plot a loss of a chosen and a rejected response, or plot it against something else.",
  },
  "unknown-command": {
    cause: "There is no command of that name.",
    remedy: "Use one of those that the sentence lists.",
  },
  "missing-argument": {
    cause: "A command was called without an argument that it needs.",
    remedy: "Give it; --help describes it.",
  },
  "too-many-arguments": {
    cause: "A command was given more arguments than it takes.",
    remedy: "Leave them out, or quote an argument with spaces.",
  },
  "option-without-value": {
    cause: "An option that takes a value was given none.",
    remedy: "Write --option value.",
  },
  "options-for-module": {
    cause: "--option was given for an objective in a module.",
    remedy: "Set options in the module's code, and parameters with --param.",
  },
  "module-missing": {
    cause: "There is no file at the path that was given.",
    remedy: "Correct the path.",
  },
  "not-a-module": {
    cause: "The path is a folder, or a file of another kind than a module.",
    remedy: "Give a file with one of the endings that the sentence lists.",
  },
  "module-syntax": {
    cause: "A module does not parse.",
    remedy: "Correct it at the line and column that the sentence names.",
  },
  "module-failed": {
    cause: "A module threw an error while it was loaded.",
    remedy: "Correct it at the line that the sentence names.",
  },
  "module-takes-too-long": {
    cause: "A module was not loaded within the time that PREFC_LOAD_SECONDS allows.",
    remedy: "Look for an await that waits for too long, or allow more seconds.",
  },
  "module-ended-process": {
    cause: "A module called process.exit, so that the command could not finish.",
    remedy: "Remove the call.",
  },
  "export-missing": {
    cause: "A module has no export of the name after #.",
    remedy: "Use one of those that the sentence lists.",
  },
  "no-objective": {
    cause: "A module exports no objective, or something else under the name that was chosen.",
    remedy: "Write export default objective(…).",
  },
  "several-objectives": {
    cause: "A module exports several objectives and no default.",
    remedy: "Choose one by path#name.",
  },
  "foreign-objective": {
    cause: "An objective was made by another copy of prefc than the one that runs.",
    remedy: 'Import from "prefc", which always means the copy that runs.',
  },
  "never-settled": {
    cause: "A command waits for something that can never happen, such as a promise nobody settles.",
    remedy: "Look for such a promise in the module.",
  },
  "golden-folder": {
    cause: "There is no folder or file of recorded results at the path that was given.",
    remedy: "Correct the path.",
  },
  "golden-unreadable": {
    cause: "A recorded file cannot be read from the file system.",
    remedy: "Correct its permissions, or record it again.",
  },
  "golden-malformed": {
    cause: "A value in a recorded file is not what its place asks for.",
    remedy: "Correct the place that the sentence names, or record the file again.",
  },
  "golden-unknown-objective": {
    cause: "A recorded file names an objective that prefc has no row for.",
    remedy: "Correct the name, or add a row to src/conform/families.",
  },
  "golden-unknown-parameter": {
    cause: "A recorded file has a hyper-parameter that its objective is not known to have.",
    remedy: "Correct the name, or say what it means in src/conform/families.",
  },
  "golden-no-logits": {
    cause: "A recorded objective reads nothing that a gradient could be compared of.",
    remedy: "Give its family a layout that brings logits or scores.",
  },
} as const;
