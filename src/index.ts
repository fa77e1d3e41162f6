// The public interface of prefc: the language, the objectives that ship with it, batches, devices, and the
// compiler. The command line and the demonstration are users of this file.

export * from "./dsl/index.ts";
export * from "./objectives/index.ts";
export type {
  Batch,
  Binding,
  LogitsData,
  LogitsTensor,
  Params,
  ResponseTokens,
} from "./batch/batch.ts";
export type { LogitsSource, StoredLogits } from "./batch/source.ts";
export { parseJson } from "./core/json.ts";
export { fromTrl, type TrlBatch } from "./batch/trl.ts";
export type { ResponseData } from "./batch/response-data.ts";
export { fromResponses, type ResponsesOptions } from "./batch/separate.ts";
export { fromPacked, type PackedBatch } from "./batch/packed.ts";
export { fromUnpaired, type MismatchedRows, type UnpairedBatch } from "./batch/unpaired.ts";
export type { Height, ModelName } from "./core/inputs.ts";
export { fromHalf, toHalf, type HalfType, type StorageType } from "./core/storage.ts";
export { evaluate } from "./reference/interpret.ts";
export { centralDifference } from "./reference/differences.ts";
export {
  adoptDevice,
  openDevice,
  type AdoptOptions,
  type DeviceOptions,
} from "./runtime/device/open.ts";
export type { Device } from "./runtime/device/device.ts";
export {
  compile,
  type CompileOptions,
  type Compiled,
  type GradientOptions,
  type Gradients,
  type KernelText,
  type RunOptions,
  type Value,
  type ValueAndGrad,
} from "./compile/compile.ts";
export type { Explanation, Shape } from "./explain/json.ts";
export type { Combine, RowOptions, ScheduleOptions } from "./schedule/schedule.ts";
export { explanationText } from "./explain/text.ts";
export { emitTorch, type EmitHeight, type EmitOptions, type Emitted } from "./torch/emit.ts";
