// The stages of a compiled objective, executed in float64 as they are written down: each field by its definition, each later
// pass by its skeleton, each row program by the interpreter, each gradient entry term by term. What the stream level says must
// be what the expressions mean, before any kernel and any rounding enters.
import { gradient } from "../../src/ad/gradient.ts";
import type { Batch, Params } from "../../src/batch/batch.ts";
import { gradientName, type Lowered, type Program } from "../../src/pipeline/pipeline.ts";
import { tokenAxis } from "../../src/core/axis.ts";
import { constant, input, reduce, substitute } from "../../src/core/build.ts";
import { idsOf, logitsOf, type ModelName } from "../../src/core/inputs.ts";
import { topological, type Node } from "../../src/core/node.ts";
import { evaluate } from "../../src/reference/interpret.ts";
import { expand, type Tensor } from "../../src/reference/tensor.ts";
import type { Derivation } from "../../src/stream/derive.ts";
import { fieldInput, fieldKey, type FieldSpec, type ModelPower } from "../../src/stream/fields.ts";
import { labelInput, slotInput } from "../../src/stream/skeleton.ts";
import type { GradientPass, RowField, TotalPass } from "../../src/stream/stages.ts";

/** The logits of one completion token and its label. */
interface Row {
  readonly logits: (model: ModelName) => Float64Array;
  readonly label: number;
}

/** 0 times anything is 0, as everywhere in the calculus. */
const product = (factors: readonly number[]): number =>
  factors.includes(0) ? 0 : factors.reduce((a, b) => a * b, 1);

const rowsOf = (batch: Batch, response: string): readonly Row[] =>
  [...batch.responses[response]!.labels].map((label, token) => ({
    label,
    logits: (model) => {
      const binding = batch.inputs[`${model}.logits.${response}`]!;
      if (binding.height !== "logits") throw new Error("logits expected");
      const start = binding.rowIndex[token]! * batch.vocab;
      const data = binding.tensor.data as Float64Array;
      return Float64Array.from(data.slice(start, start + batch.vocab));
    },
  }));

const largest = (values: Float64Array): number => values.reduce((a, b) => Math.max(a, b));

/** Π e^{d·x} x^k at one entry. */
export const powersAt = (powers: readonly ModelPower[], x: (model: ModelName) => number): number =>
  product(powers.flatMap(({ model, d, k }) => [Math.exp(d * x(model)), x(model) ** k]));

/** A field, by its definition. A total has none: a later pass makes it. */
export function fieldOf(spec: FieldSpec, row: Row): number {
  const centred = (model: ModelName): Float64Array => {
    const z = row.logits(model);
    const top = largest(z);
    return z.map((value) => value - top);
  };
  switch (spec.kind) {
    case "maximum":
      return largest(row.logits(spec.model));
    case "label":
      return row.logits(spec.model)[row.label]!;
    case "ties":
      return centred(spec.model).filter((x) => x === 0).length;
    case "excess": {
      const x = centred(spec.model);
      const top = x.indexOf(0);
      return x.reduce((sum, value, v) => (v === top ? sum : sum + Math.exp(spec.d * value)), 0);
    }
    case "moment": {
      const tables = new Map(spec.powers.map(({ model }) => [model, centred(model)]));
      const entries = [...tables.values()][0]!.map((_, v) =>
        powersAt(spec.powers, (model) => tables.get(model)![v]!),
      );
      return entries.reduce((a, b) => a + b);
    }
    case "total":
      throw new Error("a total is made by a later pass");
  }
}

/** The value of a field for every token of a response. */
const fieldValues = (spec: FieldSpec, batch: Batch, response: string): Float64Array =>
  Float64Array.from(rowsOf(batch, response).map((row) => fieldOf(spec, row)));

/** A skeleton over the logits of one response, with what `slot` gives in place of its slots. */
function filled(body: Node, response: string, slots: readonly Node[]): Node {
  const names = new Map<Node, Node>([
    [labelInput, idsOf(response)],
    ...slots.map((node, position): [Node, Node] => [slotInput(position), node]),
  ]);
  const order = topological([body]);
  const entry = (node: Node): Node | undefined =>
    node.tag === "input" && node.datum.kind === "entry"
      ? logitsOf(node.datum.model, response)
      : undefined;
  const change = (rebuilt: Node, original: Node): Node =>
    names.get(original) ?? entry(original) ?? rebuilt;
  return substitute([body], change, order)[0]!;
}

/**
 * What a derivation says of expressions without a vocabulary axis: fields by definition, totals in the order of discovery,
 * then the rows.
 */
export function readRows(derivation: Derivation, batch: Batch, params: Params): readonly Tensor[] {
  const inputs = { ...batch.inputs };
  const keep = (node: Node, values: Float64Array): void => {
    if (node.tag === "input") inputs[node.name] = { height: "token", values };
  };
  for (const [node, { spec, response }] of derivation.fields)
    if (spec.kind !== "total") keep(node, fieldValues(spec, batch, response));
  for (const { index, op, response, skeleton } of derivation.totals) {
    const whole = reduce(op, "vocab", filled(skeleton.body, response, skeleton.slots));
    const [table] = evaluate([whole], { ...batch, inputs }, params);
    const axes = ["batch", tokenAxis(response)] as const;
    keep(fieldInput({ kind: "total", index }, response), expand(table!, axes, batch).data);
  }
  return evaluate(derivation.rows, { ...batch, inputs }, params);
}

/** What the stages of one direction give. */
export interface Reading {
  readonly scalars: ReadonlyMap<string, number>;
  readonly perExample: Float64Array | undefined;
  /** By input name: [tokens, vocab] of logits, else over the axes of the input. */
  readonly gradients: ReadonlyMap<string, Float64Array>;
}

export function readStages(lowered: Lowered, batch: Batch, params: Params): Reading {
  const { stages } = lowered;
  // row fields by response, as further inputs of the batch
  const inputs = { ...batch.inputs };
  const slots = new Map<string, Float64Array>();
  const known = (): Batch => ({ ...batch, inputs });
  const keep = (key: RowField, response: string, values: Float64Array): void => {
    slots.set(`${key} of ${response}`, values);
    inputs[`field.${key}.${response}`] = { height: "token", values };
    inputs[`slot ${key} of ${response}`] = { height: "token", values };
  };
  const slotNode = (key: RowField, response: string): Node =>
    input(`slot ${key} of ${response}`, ["batch", tokenAxis(response)]);

  const over = (body: Node, response: string, own: readonly RowField[]): Node =>
    filled(
      body,
      response,
      own.map((slot) => slotNode(slot, response)),
    );
  const perToken = (node: Node, response: string): Float64Array => {
    const [table] = evaluate([node], known(), params);
    return expand(table!, ["batch", tokenAxis(response)], batch).data;
  };
  const total = (pass: TotalPass, response: string): Float64Array =>
    perToken(reduce(pass.op, "vocab", over(pass.body, response, pass.slots)), response);

  for (let round = 1; round <= stages.lastRound; round++) {
    for (const pass of stages.passes.filter((one) => one.round === round)) {
      for (const response of pass.responses) {
        if (pass.kind === "total")
          keep(fieldKey({ kind: "total", index: pass.index }), response, total(pass, response));
        else
          for (const spec of pass.fields)
            keep(fieldKey(spec), response, fieldValues(spec, batch, response));
      }
    }
    const outputs = stages.outputs.get(round) ?? [];
    for (const { field, response, node } of outputs)
      keep(field, response, perToken(node, response));
  }

  const written = (pass: GradientPass, response: string): Float64Array => {
    const rows = rowsOf(batch, response);
    const at = (key: RowField, token: number): number =>
      slots.get(`${key} of ${response}`)![token]!;
    const out = new Float64Array(rows.length * batch.vocab);
    for (const term of pass.terms) {
      // a response without this term has coefficient 0, and its slots may be outside the term's domain
      if (rows.every((_, token) => at(term.slot, token) === 0)) continue;
      const opaque = term.opaque.map((body) => {
        const [table] = evaluate([over(body, response, pass.opaqueSlots)], known(), params);
        return expand(table!, ["batch", tokenAxis(response), "vocab"], batch).data;
      });
      rows.forEach(({ logits }, token) => {
        const tables = new Map(pass.models.map((model) => [model, logits(model)]));
        for (let v = 0; v < batch.vocab; v++) {
          const x = (model: ModelName): number => {
            const z = tables.get(model)!;
            return z[v]! - largest(z);
          };
          const entry = token * batch.vocab + v;
          out[entry]! += product([
            at(term.slot, token),
            powersAt(term.powers, x),
            ...term.maximal.map((model) => (x(model) === 0 ? 1 : 0)),
            ...opaque.map((data) => data[entry]!),
          ]);
        }
      });
    }
    rows.forEach(({ label }, token) => {
      out[token * batch.vocab + label] = at(pass.atLabel, token);
    });
    return out;
  };

  const scalars = lowered.scalars.map(([, node]) => node);
  const high = lowered.highGradients.map(({ node }) => node);
  const [example] = lowered.perExample === null ? [constant(0)] : [lowered.perExample];
  const [one, ...tables] = evaluate([example, ...scalars, ...high], known(), params);
  const gradients = new Map<string, Float64Array>();
  for (const pass of stages.gradients)
    for (const response of pass.responses)
      gradients.set(`${pass.of}.logits.${response}`, written(pass, response));
  lowered.highGradients.forEach(({ input: { name, axes } }, position) =>
    gradients.set(name, expand(tables[scalars.length + position]!, axes, batch).data),
  );
  const numbers = lowered.scalars.map(([name], n) => [name, tables[n]!] as const);
  // the gradients of parameters come as scalars
  const isGradient = (name: string): boolean => name.startsWith("param.");
  for (const [name, { data }] of numbers) if (isGradient(name)) gradients.set(name, data);
  return {
    scalars: new Map(
      numbers.flatMap(([name, { data }]) => (isGradient(name) ? [] : [[name, data[0]!] as const])),
    ),
    perExample: lowered.perExample === null ? undefined : expand(one!, ["batch"], batch).data,
    gradients,
  };
}

/** What the expressions of the program mean, in the same shape. */
export function readExpressions(program: Program, batch: Batch, params: Params): Reading {
  const names = Object.keys(program.metrics);
  const states = Object.keys(program.next);
  const example = program.perExample ?? constant(0);
  const [loss, one, ...tables] = evaluate(
    [
      program.loss,
      example,
      ...names.map((name) => program.metrics[name]!),
      ...states.map((name) => program.next[name]!),
      // as differentiation leaves them, so that no rule of the compiler can hide in them
      ...gradient(program.loss, [
        ...program.gradients.map((one) => one.input),
        ...program.paramGradients.map((one) => one.param),
      ]),
    ],
    batch,
    params,
  );
  const scalars = new Map([["loss", loss!.data[0]!]]);
  names.forEach((name, position) => scalars.set(name, tables[position]!.data[0]!));
  states.forEach((name, n) => scalars.set(`next ${name}`, tables[names.length + n]!.data[0]!));
  const rest = tables.slice(names.length + states.length);
  return {
    scalars,
    perExample: program.perExample === null ? undefined : expand(one!, ["batch"], batch).data,
    gradients: new Map([
      ...program.gradients.map(
        ({ input: { name, axes } }, position) =>
          [name, expand(rest[position]!, axes, batch).data] as const,
      ),
      ...program.paramGradients.map(
        ({ param }, position) =>
          [gradientName(param), rest[program.gradients.length + position]!.data] as const,
      ),
    ]),
  };
}
