// The printed form of kernels: one behaviour a test, on kernels that are cut down to it.
import { describe, expect, it } from "vitest";
import { onlineBlock } from "../../src/block/passes.ts";
import { compile, dpo, sft, wpo, type CompileOptions, type Objective } from "../../src/index.ts";
import { addBlock } from "../../src/kernel/block.ts";
import { combineLanes } from "../../src/kernel/combine.ts";
import * as k from "../../src/kernel/kernel.ts";
import type { Statement } from "../../src/kernel/kernel.ts";
import { loadBlock } from "../../src/kernel/row.ts";
import { isLabelAt, overRow } from "../../src/kernel/span.ts";
import {
  loadEntry,
  loadVector,
  rowsOf,
  storeEntry,
  storeVector,
} from "../../src/kernel/storage.ts";
import { printKernel, printStatements } from "../../src/kernel/text.ts";
import { chooseSchedule, typicalTraits } from "../../src/schedule/schedule.ts";
import type { OnlinePass } from "../../src/stream/stages.ts";

type Options = NonNullable<CompileOptions["schedule"]>;
const layoutOf = (options: Options, vocab: number, dtype: "f32" | "bf16" | "f16" = "f32") => ({
  ...chooseSchedule(typicalTraits, { vocab, rows: 4096 }, {}, options),
  storage: { policy: dtype, ref: dtype },
});
const passOf = (objective: Objective) =>
  onlineBlock(compile(objective).program.value.stages.passes[0] as OnlinePass);
const x = k.variable("x");
const visited = (positions: readonly k.Value[]): readonly Statement[] =>
  positions.map((at) => k.assign(x, k.convert("f32", at)));

describe("the printed form of a kernel", () => {
  it("says what it binds and how lanes share a row", () => {
    const { steps } = compile(sft(), {
      schedule: { rowLanes: 4, vector: 1, unroll: 1, split: 2 },
    }).plan("value", 64);
    const head = printKernel(steps[0]!.kernel).split("\n").slice(0, 12).join("\n");
    expect(head).toMatchInlineSnapshot(`
      "kernel read policy logits: a workgroup for each row, 2 of them for a row, 4 lanes
      uniform shape: u32
      uniform window: u32
      read token_of: u32
      read labels: u32
      read logits_policy: u32
      write parts: u32
      shared shared_m_policy: f32, 4 of them
      shared shared_worst_policy: u32, 4 of them
      shared shared_s0: f32, 4 of them
      shared shared_s1: f32, 4 of them
      let place: u32 = (group_y * grid_width) + group_x"
    `);
  });

  it("is a loop over whole blocks, and then over what is left", () => {
    const schedule = layoutOf({ rowLanes: 4, unroll: 2, vector: 1 }, 64);
    expect(printStatements(overRow(schedule, { visit: visited }))).toMatchInlineSnapshot(`
      "let blocks: u32 = (width / 8) * 8
      for start = 0 until blocks step 8
        x ← f32(start + (0 + lane))
        x ← f32(start + (4 + lane))
      for at = blocks + lane until width step 4
        x ← f32(at)"
    `);
  });

  it("looks at the vectors that a row shares with its neighbours last", () => {
    const schedule = layoutOf({ rowLanes: 4, unroll: 1 }, 63);
    const statements = overRow(schedule, { visit: visited, shared: true });
    expect(printStatements(statements.slice(-1))).toMatchInlineSnapshot(`
      "for left = blocks + lane until width + 2 step 4
        let at: u32 = (left > width) ? 4294967295 : left
        if any((all4((at * 4) + lead) + [0, 1, 2, 3]) < all4(vocab))
          x ← f32(at)"
    `);
  });

  it("tells by component where the label is", () => {
    const at = k.variable("at", "u32");
    const printed = (vector: 1 | 4): string =>
      printStatements([
        k.letValue(k.variable("is_label", "bool", vector), isLabelAt(at, layoutOf({ vector }, 64))),
      ]);
    expect(printed(4)).toMatchInlineSnapshot(
      `"let is_label: bool × 4 = [0, 1, 2, 3] == all4(label - (at * 4))"`,
    );
    expect(printed(1)).toMatchInlineSnapshot(`"let is_label: bool = at == label"`);
  });

  it("sums a block as if it were plain, and drops the sums where it is not", () => {
    const schedule = layoutOf({ vector: 1, unroll: 2, rowLanes: 4 }, 64);
    const pass = passOf(wpo());
    const positions = [k.u32(0), k.lane];
    const statements = addBlock(
      { pass, lanes: 1 },
      2,
      loadBlock(pass.models, positions, schedule),
      { inBlock: k.literal("bool", 0) },
      [k.leave],
    );
    expect(printStatements(statements)).toMatchInlineSnapshot(`
      "let x_policy_0: f32 = f32_bits(logits_policy[base_policy + 0]) - m_policy
      let x_policy_1: f32 = f32_bits(logits_policy[base_policy + lane]) - m_policy
      let e_policy_0: f32 = exp(x_policy_0)
      let e_policy_1: f32 = exp(x_policy_1)
      let sum_s0: f32 = e_policy_0 + e_policy_1
      let sum_s1: f32 = (e_policy_0 * e_policy_0) + (e_policy_1 * e_policy_1)
      let sum_s2: f32 = (e_policy_0 * x_policy_0) + (e_policy_1 * x_policy_1)
      let worst: u32 = maximum(u32_bits(slack_policy - x_policy_0), u32_bits(slack_policy - x_policy_1))
      if (worst >= 2139095040) || false
        return
      else
        part_s0 ← part_s0 + sum_s0
        part_s1 ← part_s1 + sum_s1
        part_s2 ← part_s2 + sum_s2"
    `);
  });

  it("combines lanes over shared memory by moving both to the larger point", () => {
    const schedule = layoutOf({ rowLanes: 2, combine: "shared" }, 64);
    expect(printStatements(combineLanes(passOf(sft()), schedule))).toMatchInlineSnapshot(`
      "shared_m_policy[lane] ← m_policy
      shared_worst_policy[lane] ← worst_policy
      shared_s0[lane] ← s0
      shared_s1[lane] ← s1
      barrier
      if lane < 1
        let other_m_policy: f32 = shared_m_policy[lane + 1]
        let new_m_policy: f32 = maximum(m_policy, other_m_policy)
        let own_shift_policy: f32 = m_policy - new_m_policy
        let other_shift_policy: f32 = other_m_policy - new_m_policy
        worst_policy ← maximum(worst_policy, shared_worst_policy[lane + 1])
        let new_s0: f32 = (s0 * exp(own_shift_policy)) + (shared_s0[lane + 1] * exp(other_shift_policy))
        let new_s1: f32 = (((own_shift_policy * s0) + s1) * exp(own_shift_policy)) + (((other_shift_policy * shared_s0[lane + 1]) + shared_s1[lane + 1]) * exp(other_shift_policy))
        s0 ← new_s0
        s1 ← new_s1
        m_policy ← new_m_policy
        shared_m_policy[lane] ← m_policy
        shared_worst_policy[lane] ← worst_policy
        shared_s0[lane] ← s0
        shared_s1[lane] ← s1
      barrier"
    `);
  });

  it("combines the lanes of a subgroup without a barrier", () => {
    const schedule = { ...layoutOf({ rowLanes: 32 }, 64), combine: "subgroup" as const };
    expect(printStatements(combineLanes(passOf(sft()), schedule))).toMatchInlineSnapshot(`
      "let new_m_policy: f32 = subgroup_max(m_policy)
      let own_shift_policy: f32 = m_policy - new_m_policy
      worst_policy ← subgroup_max(worst_policy)
      let new_s0: f32 = s0 * exp(own_shift_policy)
      let new_s1: f32 = ((own_shift_policy * s0) + s1) * exp(own_shift_policy)
      s0 ← subgroup_add(new_s0)
      s1 ← subgroup_add(new_s1)
      m_policy ← new_m_policy"
    `);
  });

  const at = k.variable("at", "u32");
  const rows = (dtype: "f32" | "bf16" | "f16", vector: 1 | 4, isWritten: boolean = false) =>
    rowsOf("logits", { kind: "logits", model: "policy" }, dtype, vector, isWritten);

  it("reads entries of 16 bits as the bits of single floats", () => {
    const bits = k.variable("bits", "u32", 4);
    const one = k.variable("one", "u32");
    expect(
      printStatements([
        k.letValue(bits, loadVector(rows("bf16", 4), at)),
        k.letValue(one, loadEntry(rows("f16", 1), k.u32(0), at)),
      ]),
    ).toMatchInlineSnapshot(`
      "let bits: u32 × 4 = widen_bf16(logits[at])
      let one: u32 = u32_bits(unpack_f16(logits[(0 + at) / 2] shr (((0 + at) mod 2) * 16)).0)"
    `);
  });

  it("writes a single entry of 16 bits without touching its neighbour", () => {
    const statements = [
      ...storeVector(rows("bf16", 1, true), at, x),
      ...storeEntry(rows("f16", 4, true), k.u32(0), at, x),
    ];
    expect(printStatements(statements)).toMatchInlineSnapshot(`
      "atomic logits[at / 2] ← and bitNot(65535 shl ((at mod 2) * 16))
      atomic logits[at / 2] ← or (narrow_bf16([x, 0, 0, 0]).0 shl ((at mod 2) * 16))
      logits[0 + (at / 4)].[(at / 2) mod 2] ← insert_bits(logits[0 + (at / 4)].[(at / 2) mod 2], narrow_f16([x, 0, 0, 0]).0, (at mod 2) * 16, 16)"
    `);
  });

  it("says which lanes leave before a row is read", () => {
    const { steps } = compile(dpo(), { schedule: { rowLanes: 4 } }).plan("value", 64);
    const body = steps[0]!.kernel.body.slice(0, 7);
    expect(printStatements(body)).toMatchInlineSnapshot(`
      "let place: u32 = (group_y * grid_width) + group_x
      if place >= rows
        return
      let width: u32 = vocab / 4
      let base_policy: u32 = place * width
      let token: u32 = token_of[first_row + place]
      if token >= 4294967294
        return
      let label: u32 = labels[token]"
    `);
  });
});
