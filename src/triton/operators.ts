// How the operators of the core are written in Triton, one row each, on blocks of entries and on numbers of a row alike. There
// is a row for every operator: one that is made of others says "form", and a new one without a row does not compile.

import type { BinaryOp, UnaryOp } from "../core/ops.ts";
import { atom, call, infix, strengths, within, type Piece } from "../torch/piece.ts";
import type { DeviceFunction } from "./helpers.ts";

/** Makes sure of a function that Triton does not have, and gives its name. */
export type Brings = (name: DeviceFunction) => string;
type Unary = (x: Piece, brings: Brings) => Piece;
type Binary = (a: Piece, b: Piece, brings: Brings) => Piece;

/** A number that Python knows as one that Triton's functions take. */
const asTensor = (piece: Piece): Piece =>
  piece.kind === "python" ? atom(`tl.full([], ${piece.text}, tl.float32)`, "real") : piece;

const prefixed =
  (sign: string): Unary =>
  (x) => ({ ...x, text: `${sign}${within(x, strengths.prefix)}`, strength: strengths.prefix });
const own =
  (name: string): Unary =>
  (x) =>
    call(`tl.${name}`, [asTensor(x)]);
const brought =
  (name: DeviceFunction): Unary =>
  (x, brings) =>
    call(brings(name), [asTensor(x)]);
const ofTwo =
  (name: DeviceFunction): Binary =>
  (a, b, brings) =>
    call(brings(name), [asTensor(a), b]);
const between =
  (sign: string, strength: number): Binary =>
  (a, b) =>
    infix(sign, strength, a, b);
const truth =
  (sign: string, strength: number): Binary =>
  (a, b) => ({ ...infix(sign, strength, a, b), kind: "bool" });

export const unarySpellings: Readonly<Record<UnaryOp, Unary | "form">> = {
  neg: prefixed("-"),
  relu: "form",
  abs: own("abs"),
  sign: brought("sign_of"),
  square: brought("square_of"),
  sqrt: own("sqrt"),
  toReal: (x) =>
    x.kind === "whole"
      ? atom(`${within(x, strengths.atom)}.to(tl.float32)`, "real")
      : call("tl.where", [x, "1.0", "0.0"]),
  not: prefixed("~"),
  exp: own("exp"),
  log: own("log"),
  log1p: brought("log1p_of"),
  expm1: brought("expm1_of"),
  sigmoid: brought("sigmoid_of"),
  logSigmoid: brought("log_sigmoid_of"),
  log1mExp: brought("log1mexp_of"),
  tanh: "form",
  softplus: "form",
  log2: "form",
};

export const binarySpellings: Readonly<Record<BinaryOp, Binary | "form">> = {
  plus: between("+", strengths.sum),
  minus: between("-", strengths.sum),
  times: between("*", strengths.product),
  over: between("/", strengths.product),
  pow: ofTwo("power_of"),
  minimum: ofTwo("smaller_of"),
  maximum: ofTwo("larger_of"),
  gt: truth(">", strengths.comparison),
  ge: truth(">=", strengths.comparison),
  lt: truth("<", strengths.comparison),
  le: truth("<=", strengths.comparison),
  eq: truth("==", strengths.comparison),
  ne: truth("!=", strengths.comparison),
  and: truth("&", strengths.and),
  or: truth("|", strengths.or),
  clampedExp: "form",
};
