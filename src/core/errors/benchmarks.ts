// Errors of the benchmark: kernels written by hand, recorded runs, and other commits.

export const benchmarks = {
  "kernel-module": {
    cause: "A file given to --kernel cannot be read, or exports no kernels.",
    remedy: "Give a file of WGSL, or a module that exports { plans } as default.",
  },
  "kernel-binding": {
    cause: "A kernel binds what is no data of the benchmark, or binds an input to be written.",
    remedy: "Use the names that the sentence lists, and declare inputs as read.",
  },
  "kernel-rejected": {
    cause: "A kernel does not compile on this adapter.",
    remedy: "Correct it at the line that the sentence names.",
  },
  "kernel-refuses": {
    cause: "A kernel's module says that it cannot run the shape that is measured.",
    remedy: "Measure a shape that it can run.",
  },
  "kernel-objective": {
    cause: "It is not clear which measured objective a kernel computes.",
    remedy: "Export the name of an objective that is on the command line.",
  },
  "bench-file": {
    cause:
      "A file given to --compare or --with is no record of a benchmark, or shares nothing with the other.",
    remedy: "Give files that prefc bench --json wrote, of the same objectives and shapes.",
  },
  "against-checkout": {
    cause: "--against was used outside a checkout, where no other commit can be built.",
    remedy: "Run it in a clone of prefc, or compare two files.",
  },
  "against-commit": {
    cause: "A commit given to --against does not exist, or does not build.",
    remedy: "Name another commit.",
  },
  "against-objective": {
    cause:
      "--against was given an objective of a module, which belongs to one version of the package.",
    remedy: "Name built-in objectives, or compare two files.",
  },
  "cold-failed": {
    cause: "The process that takes a first gradient ended early.",
    remedy: "Correct what the sentence says, which is the process's own.",
  },
} as const;
