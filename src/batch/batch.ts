// A batch in the one physical form that every engine reads. Token rows of a response are in compressed-row
// form: example b owns tokens offsets[b] … offsets[b+1]−1. Logits stay where the model left them: a tensor
// of any layout seen as rows of `vocab` numbers, and an index from tokens to rows. Nothing is copied.

import type { StorageType } from "../core/storage.ts";

/**
 * What a logits tensor may live in. Float64Array is read by the reference only; a GPU run rounds it to f32. Uint16Array
 * holds the raw bits of a 16-bit type, which the tensor's `dtype` names.
 */
export type LogitsData = Float32Array | Float64Array | Uint16Array | GPUBuffer;

/** A logits tensor seen as [rows, vocab]. Several responses may share one (TRL's [2B, T, V]). */
export interface LogitsTensor {
  /** Name by which its gradient is returned, for example "policy" or "policy.w". */
  readonly name: string;
  readonly data: LogitsData;
  readonly rows: number;
  /** Entries of a row, where they are not those of the batch: a model may have a vocabulary of its own. */
  readonly vocab?: number;
  /** How an entry is stored; "f32" when left out. The gradient is stored in the same way. */
  readonly dtype?: StorageType;
}

/** Logits of one response of one model: token n of the response is row `rowIndex[n]` of the tensor. */
export interface LogitsBinding {
  readonly height: "logits";
  readonly tensor: LogitsTensor;
  readonly rowIndex: Uint32Array;
}
/** A number per completion token, in the order of the response's offsets. */
export interface TokenBinding {
  readonly height: "token";
  readonly values: Float32Array | Float64Array;
}
/** A number per example. */
export interface ExampleBinding {
  readonly height: "example";
  readonly values: Float32Array | Float64Array;
}
export type Binding = LogitsBinding | TokenBinding | ExampleBinding;

export interface ResponseTokens {
  /** [examples + 1], ascending from 0. */
  readonly offsets: Uint32Array;
  /** [tokens]: the completion tokens y_t, each below `vocab`. */
  readonly labels: Uint32Array;
}

export interface Batch {
  /** Number of examples. */
  readonly examples: number;
  /** Entries of the vocabulary: the width of the policy's logits. */
  readonly vocab: number;
  readonly responses: Readonly<Record<string, ResponseTokens>>;
  /** By input name of the core (src/core/inputs.ts), for example "policy.logits.w" or "ref.logps.l". */
  readonly inputs: Readonly<Record<string, Binding>>;
}

/** Values of run-time hyper-parameters by name. */
export type Params = Readonly<Record<string, number>>;
