// Gives every rewrite rule something to do: the pattern of a rule over members of the pool. A condition or an index that a
// pattern wants and the pool lacks is made of a real member.
import { isTokenAxis, responseOf, type Axis } from "../../src/core/axis.ts";
import { binary, constant, iota, sort, unary } from "../../src/core/build.ts";
import { idsOf } from "../../src/core/inputs.ts";
import { topological, type Node } from "../../src/core/node.ts";
import { instantiate, isAxisVariable, variableOf, type Rule } from "../../src/rewrite/rule.ts";
import { simplification } from "../../src/rewrite/simplify.ts";
import { innermost, isReal, positive, type Grower, type Pool } from "./pool.ts";
import { pick, short } from "./scene.ts";

const axisVariablesIn = (term: Node): readonly Axis[] =>
  [...new Set(topological([term]).flatMap((node) => ("axis" in node ? [node.axis] : [])))].filter(
    isAxisVariable,
  );

type Suits = (node: Node) => boolean;

/** A condition of real members; mostly of two comparisons, because rules turn a single one that is negated round. */
function condition(own: Pool, suits: Suits): Node | undefined {
  const { random } = own.scene;
  const compared = (): Node | undefined => {
    const side = own.choose((node) => isReal(node) && suits(node));
    // between the short numbers that terms are made of
    const than = constant(short(random, -1, 1) + 0.0125);
    return side && own.add(() => binary(pick(random, ["gt", "le"] as const), side, than));
  };
  const [p, q] = [compared(), compared()];
  if (p === undefined || q === undefined || random.uniform() < 0.3) return p;
  return own.add(() => binary(pick(random, ["and", "or"] as const), p, q)) ?? p;
}

/** An index along an axis of `body` that kernels can read it at, as far as that can be told from here. */
function indexInto(own: Pool, body: Node | undefined, axis: Axis | undefined): Node {
  const { random } = own.scene;
  const token = body?.axes.find(isTokenAxis);
  if (axis === "vocab" && token !== undefined) return idsOf(responseOf(token));
  const key = own.choose((node) => isReal(node) && node.axes.join() === "batch");
  return axis === "batch" && key !== undefined && random.uniform() < 0.5
    ? sort(pick(random, ["order", "rank"] as const), "batch", key)
    : constant(random.integer(0, 1), "i32");
}

/** What a variable of a pattern stands for: where it may, something along the axis that the pattern binds. */
function bound(
  own: Pool,
  target: Node,
  axes: ReadonlyMap<Axis, Axis>,
  body: Node | undefined,
): Node {
  const { random } = own.scene;
  const { name, dtype, constant: isConstant, without, within, domain } = variableOf(target)!;
  const drawn = (): Node =>
    dtype === "f32"
      ? constant(short(random, ...domain))
      : constant(random.integer(Math.ceil(domain[0]), Math.floor(domain[1])), dtype);
  if (isConstant) return drawn();
  const [axis] = axes.values();
  if (name === "index") return indexInto(own, body, axis);
  const free = without === undefined ? undefined : axes.get(without);
  const mayStand: Suits = (node) =>
    (free === undefined || !node.axes.includes(free)) &&
    (within === undefined || node.axes.every((one) => within.includes(one)));
  const open = free === undefined && within === undefined ? axis : undefined;
  const depends: Suits = (node) => open === undefined || node.axes.includes(open);
  const suits: Suits = (node) => node.dtype === dtype && mayStand(node) && depends(node);
  const made =
    dtype === "bool" && random.uniform() < 0.7
      ? condition(own, (node) => mayStand(node) && depends(node))
      : dtype === "i32" && open !== undefined && random.uniform() < 0.5
        ? iota(open)
        : undefined;
  return (
    made ??
    own.choose(suits) ??
    own.choose((node) => node.dtype === dtype && mayStand(node)) ??
    drawn()
  );
}

/** The pattern of one rule over members of the pool. */
export function growRule(own: Pool, { pattern, variables }: Rule): Node | undefined {
  const { random } = own.scene;
  const body = own.choose((node) => isReal(node) && node.axes.length > 0);
  const axes = new Map(
    axisVariablesIn(pattern).map(
      (axis) => [axis, body === undefined ? "batch" : innermost(body)!] as const,
    ),
  );
  const nodes = new Map(
    variables.map((target) => [target, bound(own, target, axes, body)] as const),
  );
  const order = topological([pattern]);
  const made = (change: (x: Node) => Node): Node | undefined =>
    own.add(() => {
      const changed = new Map(
        [...nodes].map(([target, x]) => [
          target,
          x.dtype === "f32" && x.tag !== "const" ? change(x) : x,
        ]),
      );
      const term = instantiate(pattern, order, { nodes: changed, axes });
      if (term.dtype === "f32") return term;
      return term.dtype === "i32" || term.dtype === "bool" ? unary("toReal", term) : undefined;
    });
  // what lies outside the domain is tried once more within it
  return (
    made((x) => x) ??
    made((x) => positive(random, x)) ??
    made((x) => unary("neg", positive(random, x))) ??
    made((x) => unary("sigmoid", x))
  );
}

export const growPattern: Grower = (own) => growRule(own, pick(own.scene.random, simplification));
