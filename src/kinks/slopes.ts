// Which slope is taken at a kink, here and elsewhere. This table is what `prefc explain` and `prefc check` say of a kink, and
// docs/kinks.md shows it; tests hold the first column to every engine of prefc.

import type { Spelling } from "./sites.ts";

/** What is said of a spelling: which slope prefc takes, and what others give. */
export const slopes: Readonly<
  Record<Spelling, { readonly prefc: string; readonly others: string }>
> = {
  maximum: {
    prefc: "half of the slope of each operand",
    others:
      "torch.maximum, jax.numpy.maximum and jax.numpy.clip take the same; for x in max(x, 0), torch.relu and jax.lax.clamp take none and torch.clamp takes all of it",
  },
  minimum: {
    prefc: "half of the slope of each operand",
    others:
      "torch.minimum, jax.numpy.minimum and jax.numpy.clip take the same; for x in min(x, 0), torch.clamp takes all of it and jax.lax.clamp none",
  },
  relu: {
    prefc: "no slope",
    others:
      "torch.relu, jax.nn.relu and jax.lax.clamp take the same; torch.maximum, jax.numpy.maximum and jax.numpy.clip take half of it, torch.clamp all of it",
  },
  clamp: {
    prefc: "the whole slope of the side that the condition takes, which for clamp is that of x",
    others:
      "torch.clamp takes the same; torch.maximum, jax.numpy.maximum and jax.numpy.clip take half of the slope of x, torch.relu and jax.lax.clamp none",
  },
  where: {
    prefc: "the slope of the side that the condition takes",
    others:
      "torch.where and jax.numpy.where take the same; torch.maximum and jax.numpy.clip would take half of each side",
  },
  abs: {
    prefc: "no slope",
    others: "torch.abs takes the same; jax.numpy.abs takes the slope of x",
  },
  sqrt: {
    prefc: "no slope where its operand has none either",
    others: "torch.sqrt and jax.numpy.sqrt give NaN there",
  },
  clampedExp: {
    prefc: "the whole slope of the exponential",
    others:
      "exp of torch.clamp takes the same; exp of torch.minimum or of jax.numpy.clip takes half of it, of jax.lax.clamp none",
  },
  max: {
    prefc: "equal parts for equal entries",
    others:
      "torch.amax and jax.numpy.max take the same; torch.max along a dimension gives all to one entry",
  },
  sort: {
    prefc: "equal numbers in the order of the batch",
    others:
      "jax.numpy.sort and torch.sort with stable=True take the same; torch.sort without it may take another order from 17 elements on",
  },
};
