// Errors of files that hold tensors, and of the training steps that are recorded in them.

export const tensors = {
  "tensor-file-missing": {
    cause: "A file of tensors does not exist, is a folder, or cannot be opened.",
    remedy: "Correct the path.",
  },
  "tensor-file-kind": {
    cause: "A file begins neither as a safetensors file nor as an .npz file.",
    remedy: "Write it with safetensors.torch.save_file or numpy.savez.",
  },
  "tensor-file-malformed": {
    cause:
      "A file of tensors is not what it says: it is cut off, tensors overlap, or a shape does not fit its bytes.",
    remedy: "Record the step again, or copy the file anew; the sentence names the byte.",
  },
  "tensor-file-refused": {
    cause:
      "A file of tensors is larger than what is read, or holds something that is not read, such as pickled objects.",
    remedy: "Write it as the sentence says.",
  },
  "tensor-type": {
    cause: "A tensor in a file has a type that cannot be what it is read as.",
    remedy: "Record it as the type that the sentence names.",
  },
  "step-tensor-missing": {
    cause: "A recorded training step lacks a tensor without which it cannot be computed again.",
    remedy: "Record it under one of the names that the sentence lists.",
  },
  "step-tensor-shape": {
    cause: "A tensor of a recorded step has another shape than the step's token ids ask for.",
    remedy: "Record it as the sentence says.",
  },
  "step-tensor-value": {
    cause:
      "A mask of a recorded step holds something else than 0 and 1, or a token id lies outside the vocabulary.",
    remedy: "Correct the recorder at the position that the sentence names.",
  },
  "audit-responses": {
    cause: "An objective reads something that a recorded step of pairs does not have.",
    remedy: "Audit an objective of chosen and rejected responses and of logits.",
  },
  "audit-term": {
    cause:
      "An objective has a term over the vocabulary that cannot be computed a few examples at a time.",
    remedy: "Use prefc check, which computes whole batches.",
  },
} as const;
