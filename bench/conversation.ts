// A conversation with a peer in a process of its own: one word to it for each step, one JSON line back. Whatever a peer does
// instead of answering, crash, fall silent or be killed, becomes a reply that says so in one sentence, so that a benchmark
// goes on without it.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** What a peer answers to one step. */
export interface Answer {
  /** From the call until the result is there. */
  readonly milliseconds: number;
  /** Of all the threads of the peer's process. */
  readonly processor_milliseconds: number;
  /** By the GPU's own clock, where the peer can read it. */
  readonly gpu_milliseconds?: number;
  /** Null when it is not finite. */
  readonly loss: number | null;
  /** √Σ g² over the gradient; given when asked for. */
  readonly gradient_norm?: number | null;
}

export type Reply =
  | { readonly kind: "ready"; readonly versions: Readonly<Record<string, string>> }
  | { readonly kind: "answer"; readonly answer: Answer }
  | { readonly kind: "skipped"; readonly why: string }
  | { readonly kind: "crashed"; readonly why: string };

export interface Conversation {
  /** The peer's first word: that it is ready, or why it is not. */
  readonly ready: () => Promise<Reply>;
  /** One step; with `check` the gradient's norm as well. */
  readonly step: (word: "sample" | "check") => Promise<Reply>;
  /** Lets the peer end, or ends it. */
  readonly end: () => Promise<void>;
}

const longestKept = 4000;
const shortestUseful = 3;

/** The line of a process's complaints that says most: the last one with a word in it that is no place in a stack. */
function complaint(text: string): string {
  const lines = text.split("\n").map((line) => line.trim());
  const telling = lines.filter((line) => line.length >= shortestUseful && !/^at |^\^/.test(line));
  return telling.at(-1)?.slice(0, 300) ?? "it said nothing";
}

function replyOf(line: string): Reply | null {
  let said: unknown;
  try {
    said = JSON.parse(line);
  } catch {
    return null; // a library talks to its user
  }
  if (typeof said !== "object" || said === null) return null;
  const { ready, skip, error } = said as Record<string, unknown>;
  if (typeof ready === "object" && ready !== null)
    return { kind: "ready", versions: ready as Readonly<Record<string, string>> };
  if (typeof skip === "string") return { kind: "skipped", why: skip };
  if (typeof error === "string") return { kind: "crashed", why: error.split("\n")[0]!.trim() };
  return "milliseconds" in said ? { kind: "answer", answer: said as Answer } : null;
}

/** Starts `program` with the request as its last argument; it is killed when it lives longer than `limitMs`. */
export function converse(
  program: readonly string[],
  request: object,
  limitMs: number,
): Conversation {
  const child = spawn(program[0]!, [...program.slice(1), JSON.stringify(request)]);
  const replies: Reply[] = [];
  let waiting: ((reply: Reply) => void) | undefined;
  let errors = "";
  let last: Reply | undefined;
  const tell = (reply: Reply): void => {
    if (last !== undefined) return;
    if (reply.kind === "skipped" || reply.kind === "crashed") last = reply;
    const teller = waiting;
    waiting = undefined;
    if (teller === undefined) replies.push(reply);
    else teller(reply);
  };
  createInterface({ input: child.stdout }).on("line", (line) => {
    const reply = replyOf(line);
    if (reply !== null) tell(reply);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-longestKept);
  });
  // Writing to a process that is gone is reported by its end as well.
  child.stdin.on("error", () => undefined);
  const ended = new Promise<void>((resolve) => {
    child.on("error", (error) => {
      tell({ kind: "skipped", why: `${program[0]!} could not be started (${error.message})` });
      resolve();
    });
    child.on("close", (code, signal) => {
      const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
      tell({ kind: "crashed", why: `the process ${how}: ${complaint(errors)}` });
      resolve();
    });
  });
  const limit = setTimeout(() => {
    tell({ kind: "crashed", why: `it did not finish within ${limitMs / 1000} s` });
    child.kill("SIGKILL");
  }, limitMs);
  const next = async (): Promise<Reply> => {
    const [first] = replies.splice(0, 1);
    if (first !== undefined) return first;
    return (
      last ??
      (await new Promise<Reply>((resolve) => {
        waiting = resolve;
      }))
    );
  };
  return {
    ready: next,
    step: async (word) => {
      child.stdin.write(`${word}\n`);
      return await next();
    },
    end: async () => {
      if (last !== undefined) child.kill("SIGKILL");
      child.stdin.end("end\n");
      await ended;
      clearTimeout(limit);
    },
  };
}
