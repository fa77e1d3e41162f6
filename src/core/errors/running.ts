// Errors of compiling and running: heights and shapes that are asked for, adapters, devices, buffers and drivers.

export const running = {
  "unknown-height": {
    cause: "A model is bound at a height that does not exist, or there is no such model.",
    remedy: 'Bind "policy" or "ref" at "logits", "logp" or "logps".',
  },
  "input-too-high": {
    cause: "A model is bound above what the loss reads of it.",
    remedy: "Bind it at one of the heights that the sentence names.",
  },
  "emit-trainer": {
    cause: "An objective is emitted for a trainer whose batches do not hold what it reads.",
    remedy: "Emit a function for torch, and write the trainer of its batches.",
  },
  "emit-statistic": {
    cause:
      "An objective is emitted from a height that does not hand out a statistic that its loss needs.",
    remedy: "Emit it from statistics or from logits, or let the caller hand the statistic out.",
  },
  "emit-beyond-a-row": {
    cause:
      "An expression that is to be emitted looks tokens or vocabulary entries up across rows, which no function of rows can.",
    remedy: "Reduce the tokens or the vocabulary with a condition instead.",
  },
  "python-missing": {
    cause: "What runs emitted files was asked for, and the interpreter of Python has no torch.",
    remedy: "Install torch and numpy, and set PREFC_PYTHON to the interpreter that has them.",
  },
  "python-ended": {
    cause:
      "The process of Python that runs emitted files has ended, most often for lack of memory.",
    remedy: "Read what it said last, which the sentence repeats.",
  },
  "python-raised": {
    cause:
      "An emitted file has raised an error in Python, most often because of what it was given.",
    remedy: "Read the sentence that it raised, which says what to give.",
  },
  "too-large": {
    cause:
      "An objective has more different subexpressions than are compiled, most often because a loop wrote it.",
    remedy: "Write it with fewer; the interpreter (evaluate) takes any number.",
  },
  "undefined-value": {
    cause: "The interpreter found a value that is no number, for example log of a negative number.",
    remedy: "Keep the operands of the term that the sentence names inside its domain.",
  },
  "infinite-value": {
    cause:
      "The interpreter found an infinite value that no infinite logit explains: the end of a domain, such as log of 0, or a number beyond float64.",
    remedy:
      "Keep the operands of the term that the sentence names inside its domain, and its value within float64.",
  },
  "constant-exceeds-f32": {
    cause: "A constant is outside the range of f32, in which kernels compute.",
    remedy: "Rescale the expression.",
  },
  "unsupported-index": {
    cause:
      "The vocabulary is indexed by something else than the response's own ids, or tokens by an index that differs between them.",
    remedy: "Use the index that the sentence names; other indices run in the interpreter only.",
  },
  "vocabulary-without-tokens": {
    cause:
      "A sum, a maximum or a log-sum-exp over the vocabulary is taken of an expression that belongs to no token of a response, or reads no logits.",
    remedy:
      "Let it read the logits of a response, or work the number out beforehand; the interpreter takes any expression.",
  },
  "vocabulary-across-rows": {
    cause:
      "An expression over the vocabulary is reduced along tokens or examples before it is reduced along the vocabulary.",
    remedy: 'Reduce "vocab" first; the interpreter takes any order.',
  },
  "shape-size": {
    cause: "A shape to be explained has a size that is no whole number of at least 1.",
    remedy: "Correct the size that the sentence names.",
  },
  "shape-responses": {
    cause: "The rows of a shape are not given for exactly the responses of the objective.",
    remedy: "Give a number for each response and for nothing else.",
  },
  "unknown-dtype": {
    cause:
      "A logits tensor or a shape to be explained names a type in which logits are not stored.",
    remedy: "Choose one of the types that the sentence names.",
  },
  "schedule-option": {
    cause:
      "A schedule that is given by hand has an option that does not exist, or a value that it may not have.",
    remedy:
      "Correct the option that the sentence names, or leave it out: a schedule changes speed only.",
  },
  "tuning-not-kept": {
    cause: "The table of measured schedules cannot be written.",
    remedy: "Give a path that can be written, with --table or PREFC_TUNING.",
  },
  "no-device": {
    cause: "A compiled objective was run that has no device.",
    remedy: "Compile it with { device: await openDevice() }.",
  },
  "not-a-device": {
    cause: "Something else than an open device was given where one is taken.",
    remedy: "Await openDevice(), or wrap a GPUDevice of your own: await adoptDevice(gpu).",
  },
  "not-a-buffer": {
    cause: "Something else than a GPUBuffer was given where a gradient is to be written.",
    remedy: "Give a GPUBuffer with the usage STORAGE, or leave it out.",
  },
  "used-after-dispose": {
    cause: "A compiled objective or its device was used after dispose(), or disposed during a run.",
    remedy: "Compile it again, on a device that is open.",
  },
  "unknown-tensor": {
    cause: "A buffer is given for the gradient of a tensor that has none.",
    remedy: "Use one of the names that the sentence lists.",
  },
  "unknown-adapter": {
    cause: "There is no kind of adapter of that name.",
    remedy: "Use one of the names that the sentence lists.",
  },
  "no-adapter": {
    cause: "No adapter of the wanted kind was found.",
    remedy: "Follow the advice in the sentence; prefc env prints what was found.",
  },
  "device-refused": {
    cause: "An adapter was found and refuses to open a device.",
    remedy: 'Try another adapter, for example "software".',
  },
  "device-lost": {
    cause:
      "The GPU device went away (its driver crashed or was reset, or someone destroyed it), and the run could not be repeated on another one: it reads or leaves GPUBuffers, which were lost too, the device is the caller's own, or the next one was lost as well.",
    remedy: "Open a new device, make its buffers again and compile for it.",
  },
  "gpu-timeout": {
    cause: "The driver did not finish in time.",
    remedy: "Use smaller batches, a faster adapter, or a larger timeoutMs.",
  },
  "timeout-invalid": {
    cause: "A timeoutMs is not a number of milliseconds above 0.",
    remedy: "Correct it, or leave it out for the default.",
  },
  "gpu-out-of-memory": {
    cause: "The driver had no memory left for a buffer.",
    remedy: "Split the batch, free other buffers, or open the device with a smaller byteBudget.",
  },
  "gpu-aborted": {
    cause: "A buffer was destroyed or unmapped while it was being read.",
    remedy: "Keep buffers alive until the run has ended.",
  },
  "gpu-error": {
    cause: "WebGPU refused a call of the run, or reported an error while it was under way.",
    remedy:
      "If the sentence names a buffer of yours, correct it; else report it as a bug of prefc.",
  },
  "shader-rejected": {
    cause: "The driver does not accept a generated shader.",
    remedy: "Report it as a bug of prefc or of the driver, with the sentence; try another adapter.",
  },
  "bundled-adapter-missing": {
    cause: "The optional dependency that carries the software adapter is not installed.",
    remedy: "Run npm install without --omit=optional.",
  },
  "bundled-adapter-unsupported": {
    cause: "The bundled software adapter runs on Linux x64 only.",
    remedy: "Install a GPU driver; macOS and Windows have one.",
  },
  "bundled-adapter-broken": {
    cause: "The bundled software adapter could not be unpacked or loaded.",
    remedy: "Set XDG_CACHE_HOME to a folder that you own and that allows execution.",
  },
  "webgpu-missing": {
    cause:
      "The package webgpu could not be loaded, most often because the platform has no build of it.",
    remedy: "Run npm install on a supported platform.",
  },
  "null-backend-missing": {
    cause: "Shaders were to be checked without a device where that is not possible.",
    remedy:
      "Check them in Node, with the version of webgpu that prefc names; or create the pipeline.",
  },
  "worker-thread": {
    cause: "A software adapter was opened in a worker thread, where its driver cannot be named.",
    remedy: "Call openDevice on the main thread or in a child process.",
  },
  "timestamps-missing": {
    cause: "The adapter cannot time its own work.",
    remedy: "Measure wall time instead.",
  },
  "byte-budget": {
    cause: "A run needs more bytes of GPU buffers than the device may hold.",
    remedy: "Split the batch, or open the device with a larger byteBudget.",
  },
  "byte-budget-invalid": {
    cause: "The byteBudget of a device is not a whole number above 0.",
    remedy: "Correct it, or leave it out for the default.",
  },
  "buffer-exceeds-limit": {
    cause: "One buffer would be larger than the adapter allows.",
    remedy: "Split the batch.",
  },
  "buffer-usage": {
    cause: "A GPUBuffer that is to be read or written lacks the usage STORAGE.",
    remedy: "Create it with that usage.",
  },
  "buffer-unusable": {
    cause:
      "A GPUBuffer of the caller is mapped, was destroyed, or belongs to another device or to one that was lost.",
    remedy: "Give a buffer of the device that was compiled for, which is alive and not mapped.",
  },
  "batch-spent": {
    cause: "A batch was run again after a gradient was written over its logits.",
    remedy: "Write new logits into the buffer and make a new batch.",
  },
  "row-exceeds-binding": {
    cause: "A single step of rows is larger than what the adapter binds at once.",
    remedy: "Use an adapter with a larger maxStorageBufferBindingSize.",
  },
  "rows-apart": {
    cause: "Rows of two models that belong together lie too far apart to be bound together.",
    remedy: "Lay out the logits of both models in the same order.",
  },
  "gradient-too-small": {
    cause: "The buffer that is given for a gradient is smaller than the gradient.",
    remedy: "Give one of the size that the sentence names.",
  },
  "gradient-aliases-logits": {
    cause: "A gradient was to be written over logits that are not its own, or not its own alone.",
    remedy: "Write it over its own logits, or give it a buffer of its own.",
  },
  "gradients-share-buffer": {
    cause: "Two gradients were to be written into one buffer.",
    remedy: "Give each a buffer of its own.",
  },
  "value-not-finite": {
    cause:
      "A result left the range of f32, although all inputs are finite, or a gradient that of the type in which it is stored.",
    remedy:
      "Check parameters and rewards; the interpreter gives the value in float64. With f16, scale the loss down or store bf16.",
  },
  "readback-invalid": {
    cause: "A range to be read is not in its buffer, or the buffer cannot be copied from.",
    remedy: "Correct the range, or create the buffer with the usage COPY_SRC.",
  },
} as const;
