// Cuts long runs of arithmetic into blocks. A software driver's register allocator takes far more than linear time in
// the length of a straight run of code (minutes, where half the run took a second), so values are computed a few at a
// time under a condition that always holds and that no compiler can know.

import * as k from "./kernel.ts";
import type { Statement, Value } from "./kernel.ts";

const always = k.infix(k.uniform("vocab"), ">", k.u32(0));

const zeroOf = ({ type, lanes }: Value): Value => k.splat(k.literal(type, 0), lanes);

/** Operators on pairs, which are long once they are inlined; a change of sign is not. */
const weight = (statement: Statement): number =>
  statement.kind === "let" ? k.count(statement.value, isLong) : 0;
const isLong = (value: Value): boolean =>
  value.kind === "binary"
    ? value.left.type === "pair"
    : value.kind === "unary" && value.type === "pair" && value.op !== "neg";

/** The same statements, with at most `limit` calls of pair functions in a row. */
export function inBlocks(statements: readonly Statement[], limit: number): readonly Statement[] {
  const out: Statement[] = [];
  let run: k.Declaration[] = [];
  const flush = (): void => {
    const total = run.reduce((sum, statement) => sum + weight(statement), 0);
    if (total <= limit) out.push(...run);
    else out.push(...cut(run, limit));
    run = [];
  };
  for (const statement of statements) {
    if (statement.kind === "let") {
      run.push(statement);
      continue;
    }
    flush();
    if (statement.kind === "for") out.push({ ...statement, body: inBlocks(statement.body, limit) });
    else if (statement.kind === "if") {
      out.push({ ...statement, body: inBlocks(statement.body, limit) });
    } else out.push(statement);
  }
  flush();
  return out;
}

function cut(run: readonly k.Declaration[], limit: number): readonly Statement[] {
  const declared: Statement[] = [];
  const out: Statement[] = [];
  let block: Statement[] = [];
  let held = 0;
  const close = (): void => {
    if (block.length > 0) out.push(k.when(always, block));
    block = [];
    held = 0;
  };
  for (const statement of run) {
    const { variable, value, source } = statement;
    const from = source === undefined ? {} : { source };
    declared.push({ ...k.varValue(variable, zeroOf(value)), ...from });
    block.push({ ...k.assign(variable, value), ...from });
    held += weight(statement);
    if (held >= limit) close();
  }
  close();
  return [...declared, ...out];
}
