// A peer's steps and prefc's in turn: beside every step of one come a few steps of the other, so that whatever slows the machine
// down slows both, and their ratio round by round holds.

import { converse, type Answer, type Conversation, type Reply } from "./conversation.ts";
import type { PeerBatch } from "./peerinputs.ts";
import { times } from "../src/bench/statistics.ts";
import type { Data } from "../src/bench/values.ts";

/** A peer: how its process is started, which stored types it has, and why it cannot be run, if so. */
export interface Peer {
  readonly name: string;
  readonly program: readonly string[];
  readonly dtypes: readonly string[];
  readonly missing?: string | null;
}

/** One objective as prefc computes it, on the same batch. */
export interface Own {
  readonly objective: string;
  /** Loss and gradient; gives the loss, once both are there. */
  readonly step: () => Promise<number>;
  /** √Σ g² over the gradient of the last step. */
  readonly gradientNorm: () => Promise<number>;
}

export interface PeerContext {
  readonly batch: PeerBatch;
  /** Tokens of each response. */
  readonly tokens: number;
  readonly dtype: string;
  /** As `openDevice` takes it; peers on WebGPU open the same. */
  readonly adapter: string;
  readonly repeats: number;
  readonly own: readonly Own[];
  readonly peers: readonly Peer[];
  /** Empties the caches before a step of prefc; peers do so themselves. */
  readonly flush?: () => Promise<void>;
  /** Told before each peer: how much of the whole is done, and what comes. */
  readonly onStep?: (done: number, what: string) => void;
  /** The longest that one peer may take for one objective, in milliseconds. */
  readonly limitMs?: number;
  /** What is measured together, as a report titles it. */
  readonly section: string;
  /** What a run repeats in every line: device, commit, versions. */
  readonly setting: PeerSetting;
}
export interface PeerSetting {
  readonly data: Data;
  readonly device: string;
  readonly driver: string;
  readonly commit: string;
  readonly versions: Readonly<Record<string, string>>;
}

export const beta = 0.1;

const warmUps = 3;
const fewestRounds = 3;

/** Rounds that a slow peer is given: as many as begin before this share of its time is over. */
const measuredShare = 0.5;
const defaultLimitMs = 300_000;

/** Milliseconds of a step: by the clock, and of all threads. */
export interface Cost {
  readonly wall: number;
  readonly processor: number;
}

async function ownStep(own: Own, flush: () => Promise<void>): Promise<Cost & { loss: number }> {
  await flush();
  const before = process.cpuUsage();
  const start = performance.now();
  const loss = await own.step();
  const wall = performance.now() - start;
  const { user, system } = process.cpuUsage(before);
  return { wall, processor: (user + system) / 1000, loss };
}

/** Steps of prefc beside each step of a peer, which takes longer: one of them may meet other work of the machine. */
const stepsBeside = 5;

/** The median step of a few. */
async function ownSteps(
  own: Own,
  flush: () => Promise<void>,
): Promise<Cost & { readonly loss: number }> {
  const steps: (Cost & { readonly loss: number })[] = [];
  for (let i = 0; i < stepsBeside; i++) steps.push(await ownStep(own, flush));
  const median = (of: "wall" | "processor"): number => times(steps.map((step) => step[of])).median;
  return { wall: median("wall"), processor: median("processor"), loss: steps.at(-1)!.loss };
}

export interface Rounds {
  readonly versions: Readonly<Record<string, string>>;
  readonly peer: readonly Answer[];
  readonly own: readonly Cost[];
  /** Of the last step, with the gradient's norm. */
  readonly checked: Answer;
  readonly loss: number;
}

/** What ended a conversation early. */
export interface Ended {
  readonly outcome: "crashed" | "skipped";
  readonly note: string;
}

const roundsOf = async (
  talk: Conversation,
  own: Own,
  context: PeerContext,
  deadline: number,
): Promise<Rounds | Ended> => {
  const { repeats, flush = async (): Promise<void> => undefined } = context;
  const ready = await talk.ready();
  if (ready.kind !== "ready") return endOf(ready);
  const peer: Answer[] = [];
  const ours: Cost[] = [];
  let loss = Number.NaN;
  for (let round = -warmUps; round < repeats; round++) {
    if (round >= fewestRounds && performance.now() > deadline) break;
    // the order turns, so that neither is always the first after an idle moment
    const first = round % 2 === 0 ? await ownSteps(own, flush) : null;
    const reply = await talk.step("sample");
    if (reply.kind !== "answer") return endOf(reply);
    const cost = first ?? (await ownSteps(own, flush));
    ({ loss } = cost);
    if (round < 0) continue;
    peer.push(reply.answer);
    ours.push(cost);
  }
  const last = await talk.step("check");
  if (last.kind !== "answer") return endOf(last);
  return { versions: ready.versions, peer, own: ours, checked: last.answer, loss };
};

const endOf = (reply: Reply): Ended =>
  reply.kind === "skipped" || reply.kind === "crashed"
    ? { outcome: reply.kind, note: reply.why }
    : { outcome: "crashed", note: "it spoke out of turn" };

/** One peer and one objective, from the start of the process to its end. */
export async function visit(
  peer: Peer,
  own: Own,
  context: PeerContext,
  folder: string,
): Promise<Rounds | Ended> {
  const { batch, dtype, tokens, adapter, limitMs = defaultLimitMs } = context;
  if (typeof peer.missing === "string") return { outcome: "skipped", note: peer.missing };
  if (!peer.dtypes.includes(dtype))
    return { outcome: "skipped", note: `it has no logits of type ${dtype} here` };
  const { rows, vocab } = batch;
  const { objective } = own;
  const request = {
    provider: peer.name,
    objective,
    rows,
    vocab,
    tokens,
    beta,
    dtype,
    folder,
    adapter,
  };
  const deadline = performance.now() + measuredShare * limitMs;
  const talk = converse(peer.program, request, limitMs);
  try {
    return await roundsOf(talk, own, context, deadline);
  } finally {
    await talk.end();
  }
}
