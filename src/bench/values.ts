// What the logits of a benchmark are: numbers that row, column and model determine, so that peers read the same ones and
// any row can be made again on the host. Two kinds: uniform noise, and logits as a language model gives them, where a few
// entries hold most of the probability, the label is one of them, and policy and reference are close to each other.

import type { RecordedStep } from "./recorded.ts";

export const models = ["policy", "ref"] as const;
export type Model = (typeof models)[number];
export const dataKinds = ["uniform", "peaked"] as const;
/** How logits are made, or the step that they were recorded in. */
export type Data = (typeof dataKinds)[number] | RecordedStep;

/** What tables call it. */
export const nameOfData = (data: Data): string => (typeof data === "string" ? data : data.name);

const seeds: Readonly<Record<Model, number>> = { policy: 1, ref: 2 };

/** 32 bits from a position: two rounds of a multiplicative hash (Murmur's finaliser). */
function hash(position: number, seed: number): number {
  let h = Math.imul(position ^ seed, 0x85ebca6b) >>> 0;
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) >>> 0;
  return (h ^ (h >>> 16)) >>> 0;
}

/** The label of a row, known to every peer. */
export const labelOf = (row: number, vocab: number): number => (Math.imul(row, 7919) >>> 0) % vocab;

/** One row of a model's logits. */
export function fillRow(row: Float32Array, index: number, model: Model, data: Data): void {
  if (typeof data !== "string") row.set(data.row(model, index));
  else if (data === "uniform") uniform(row, index, seeds[model]);
  else peaked(row, index, model);
}

/** Numbers in [−4, 4). */
function uniform(row: Float32Array, index: number, seed: number): void {
  const start = index * row.length;
  for (let column = 0; column < row.length; column++)
    row[column] = hash(start + column, seed) / 2 ** 29 - 4;
}

const noiseDeviation = 1.5;
const candidates = 8;
/** How far a logit of the reference is at most from the policy's. */
const drift = 0.25;

/**
 * Noise that is nearly normal, and above it eight entries that together hold about as much probability as all the noise or
 * up to 150 times as much. One of them is the label, not always the highest.
 */
function peaked(row: Float32Array, index: number, model: Model): void {
  const vocab = row.length;
  const start = index * vocab;
  for (let column = 0; column < vocab; column++) {
    const h = hash(start + column, 3);
    // the sum of four bytes: mean 510, deviation √(4 (256² − 1) / 12)
    const sum = (h & 255) + ((h >>> 8) & 255) + ((h >>> 16) & 255) + (h >>> 24);
    row[column] = ((sum - 510) / 147.8) * noiseDeviation;
  }
  // log Σ exp of the noise: log V + σ²/2
  const level = Math.log(vocab) + noiseDeviation ** 2 / 2;
  for (let place = candidates - 1; place >= 0; place--) {
    const isLabel = place === 0;
    const column = isLabel ? labelOf(index, vocab) : hash(index * candidates + place, 4) % vocab;
    const share = hash(index * candidates + place, 5) / 2 ** 32;
    row[column] = level + (isLabel ? 5 * share : 7 * share - 3);
  }
  if (model === "policy") return;
  for (let column = 0; column < vocab; column++)
    row[column]! += drift * (hash(start + column, 6) / 2 ** 31 - 1);
}
