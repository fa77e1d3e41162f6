// Memory of a kernel on the host: words, which are read as the numbers that an element is made of. A pair takes two single
// floats. What lies beyond the end reads as 0, as on a device; a write beyond it is an error of the compiler.

import type { Element, Scalar } from "../kernel/kernel.ts";

/** One number, or the components of a vector. */
export type HostValue = number | readonly number[];

export class HostMemory {
  readonly words: Uint32Array<ArrayBuffer>;
  readonly #singles: Float32Array<ArrayBuffer>;
  /** @param exact numbers that are kept as they are, without a form in words; null where words are all there is */
  readonly #exact: Float64Array | null;

  constructor(words: Uint32Array<ArrayBuffer>, exact: boolean = false) {
    this.words = words;
    this.#singles = new Float32Array(words.buffer, words.byteOffset, words.length);
    this.#exact = exact ? new Float64Array(words.length) : null;
  }
  static ofLength(length: number, element: Element, exact: boolean = false): HostMemory {
    return new HostMemory(new Uint32Array(length * wordsOf(element)), exact);
  }

  read({ type, lanes }: Element, index: number): HostValue {
    if (lanes === 1) return this.component({ type, lanes }, index, 0);
    return Array.from({ length: lanes }, (_, i) => this.component({ type, lanes }, index, i));
  }
  write({ type, lanes }: Element, index: number, value: HostValue): void {
    if (typeof value === "number") this.put({ type, lanes }, index, 0, value);
    else value.forEach((one, i) => this.put({ type, lanes }, index, i, one));
  }
  component({ type, lanes }: Element, index: number, position: number): number {
    const at = index * lanes + position;
    if (this.#exact !== null) return this.#exact[at] ?? 0;
    switch (type) {
      case "f32":
        return this.#singles[at] ?? 0;
      case "pair":
        return sum(this.#singles[2 * at] ?? 0, this.#singles[2 * at + 1] ?? 0);
      case "u32":
      case "bool":
        return this.words[at] ?? 0;
      case "i32":
        return (this.words[at] ?? 0) | 0;
    }
  }
  put({ type, lanes }: Element, index: number, position: number, value: number): void {
    const at = index * lanes + position;
    if (at * wordsPer(type) >= this.words.length)
      throw new RangeError(`element ${index} lies beyond the end of a buffer`);
    if (this.#exact !== null) {
      this.#exact[at] = value;
      return;
    }
    switch (type) {
      case "f32":
        this.#singles[at] = value;
        break;
      case "pair": {
        const high = Math.fround(value);
        this.#singles[2 * at] = high;
        this.#singles[2 * at + 1] = Number.isFinite(high) ? value - high : 0;
        break;
      }
      case "u32":
      case "bool":
      case "i32":
        this.words[at] = value;
        break;
    }
  }
}

const sum = (high: number, low: number): number => (Number.isFinite(high) ? high + low : high);
const wordsPer = (type: Scalar): number => (type === "pair" ? 2 : 1);
export const wordsOf = ({ type, lanes }: Element): number => lanes * wordsPer(type);
