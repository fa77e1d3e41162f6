// The page's end of the sandbox: opens the frame, hands it the compiler, and runs one task at a time in it, each until its worker
// has answered, was stopped, or has used its time.

import { answerOf, type Answer, type Task } from "./messages.ts";

/** How a task is followed. */
export interface Followed {
  readonly limitMs: number;
  readonly hear: (answer: Answer) => void;
}

export class Sandbox {
  readonly #frame: HTMLIFrameElement;
  #id = 0;
  #followed: Followed | null = null;
  #timer = 0;

  private constructor(frame: HTMLIFrameElement) {
    this.#frame = frame;
    addEventListener("message", (event: MessageEvent<unknown>) => this.#heard(event));
  }

  /** Opens the sandbox with the source of the worker. */
  static async open(source: Promise<string>): Promise<Sandbox> {
    const frame = document.createElement("iframe");
    frame.setAttribute("sandbox", "allow-scripts");
    frame.title = "Where the module runs";
    frame.hidden = true;
    const opened = new Promise<void>((resolve) => {
      const wait = ({ source: sender }: MessageEvent<unknown>): void => {
        if (sender !== frame.contentWindow) return;
        removeEventListener("message", wait);
        resolve();
      };
      addEventListener("message", wait);
    });
    frame.src = "./frame.html";
    document.body.append(frame);
    await opened;
    const sandbox = new Sandbox(frame);
    sandbox.#post({ kind: "source", text: await source });
    return sandbox;
  }

  /** Runs a task in a worker of its own; one that still runs is ended without an answer. */
  start(task: Task, followed: Followed): void {
    this.#id++;
    this.#followed = followed;
    clearTimeout(this.#timer);
    this.#post({ kind: "task", id: this.#id, task });
    const sentence = `The module was stopped after ${followed.limitMs / 1000} seconds; look for a loop that does not end or a formula that grows in one.`;
    this.#timer = window.setTimeout(() => this.stop(sentence), followed.limitMs);
  }

  /** Ends what runs, with a sentence. */
  stop(sentence: string): void {
    const followed = this.#followed;
    if (followed === null) return;
    this.#end();
    this.#post({ kind: "stop" });
    followed.hear({ kind: "failed", sentence, line: 0, column: 0 });
  }

  #post(message: object): void {
    // an opaque origin has no name that could be given here
    this.#frame.contentWindow?.postMessage(message, "*");
  }

  #end(): void {
    this.#followed = null;
    clearTimeout(this.#timer);
  }

  #heard({ source, data }: MessageEvent<unknown>): void {
    const followed = this.#followed;
    if (source !== this.#frame.contentWindow || followed === null) return;
    const { id, message } = data as { readonly id?: unknown; readonly message?: unknown };
    const answer = answerOf(message);
    if (id !== this.#id || answer === null) return;
    if (answer.kind === "died") {
      this.stop("The module ended its worker, most likely for want of memory; make it smaller.");
      return;
    }
    if (answer.kind === "names" || answer.kind === "done" || answer.kind === "failed") {
      this.#end();
      this.#post({ kind: "stop" });
    }
    followed.hear(answer);
  }
}
