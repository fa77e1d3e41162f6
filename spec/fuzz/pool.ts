// What a program grows from: a pool of admitted terms, from which operands are chosen, with the helpers that bring an operand into
// a range or a domain as an author would.
import type { Random } from "../../src/sample/random.ts";
import { isTokenAxis, type Axis } from "../../src/core/axis.ts";
import { binary, constant, unary } from "../../src/core/build.ts";
import { PrefcError } from "../../src/core/error.ts";
import type { Node } from "../../src/core/node.ts";
import { admission, type Admitted } from "./admit.ts";
import { pick, type Scene } from "./scene.ts";

export const isReal = (node: Node): boolean => node.dtype === "f32";
export const plus = (a: Node, b: Node | number): Node =>
  binary("plus", a, typeof b === "number" ? constant(b) : b);
export const times = (a: Node, b: Node | number): Node =>
  binary("times", a, typeof b === "number" ? constant(b) : b);

/** The same information as a positive number. */
export const positive = (random: Random, x: Node): Node =>
  pick(random, [
    () => plus(unary("abs", x), 0.5),
    () => plus(unary("square", x), 0.25),
    () => unary("exp", times(x, 0.25)),
    () => plus(unary("relu", x), 0.125),
    () => plus(unary("sigmoid", x), 0.125),
    () => plus(x, 4),
  ])();
/** The same information in a small range. */
export const tamed = (random: Random, x: Node): Node =>
  pick(random, [
    () => times(x, 0.125),
    () => unary("sigmoid", x),
    () => unary("logSigmoid", x),
    () => binary("minimum", x, constant(2)),
    () => binary("over", x, plus(unary("abs", x), 1)),
  ])();

/** Whether two terms may be operands of one operator. */
export const sameTokens = (a: Node, b: Node): boolean => {
  const [first, second] = [a.axes.find(isTokenAxis), b.axes.find(isTokenAxis)];
  return first === undefined || second === undefined || first === second;
};

/** The axis that has to be reduced first. */
export const innermost = (node: Node): Axis | undefined =>
  node.axes.find((axis) => axis === "vocab") ?? node.axes.find(isTokenAxis) ?? node.axes[0];

export interface Pool {
  readonly scene: Scene;
  readonly admitted: Admitted;
  readonly members: readonly Node[];
  /** A member that fulfils a condition, more likely a late one. */
  choose(suits?: (node: Node) => boolean): Node | undefined;
  /** Tries to add a term; a term that is not well formed or not admitted is left out. */
  add(make: () => Node | undefined): Node | undefined;
}

export function pool(scene: Scene): Pool {
  const { random, batch, params, state } = scene;
  const admitted = admission(batch, { ...params, ...state });
  const members: Node[] = [];
  const choose: Pool["choose"] = (suits = () => true) => {
    const fitting = members.filter(suits);
    if (fitting.length === 0) return undefined;
    const late = Math.max(random.uniform(), random.uniform());
    return fitting[Math.min(fitting.length - 1, Math.floor(late * fitting.length))];
  };
  const add: Pool["add"] = (make) => {
    try {
      const made = make();
      if (made === undefined || !admitted.admit(made)) return undefined;
      if (!members.includes(made)) members.push(made);
      return made;
    } catch (error) {
      if (error instanceof PrefcError) return undefined;
      throw error;
    }
  };
  return { scene, admitted, members, choose, add };
}

/** Adds one term to a pool, if it finds one that is admitted. */
export type Grower = (own: Pool) => Node | undefined;
