// The page: what is typed is run in the sandbox a moment later, and each part of the answer is shown in its place. Code that came
// with a link waits until the visitor agrees.

import { editorIn } from "./editor.ts";
import { codeIn, linkTo } from "./link.ts";
import type { Answer, Task } from "./messages.ts";
import { Sandbox } from "./sandbox.ts";
import { shown } from "./shown.ts";
import { builtInModule, written } from "./starts.ts";
// oxlint-disable-next-line import/default -- vite makes an address of it
import workerAddress from "./worker.ts?worker&url";

const pauseMs = 400;
const runLimitMs = 10_000;
const checkLimitMs = 120_000;
const batches = 5;

function element<K extends keyof HTMLElementTagNameMap>(
  id: string,
  tag: K,
): HTMLElementTagNameMap[K] {
  const found = document.querySelector<HTMLElementTagNameMap[K]>(`${tag}#${id}`);
  if (found === null) throw new Error(`the page has no ${tag} of the id ${id}`);
  return found;
}
const status = element("status", "p");
const stop = element("stop", "button");
const checked = element("checked", "pre");
const agree = element("agree", "div");
const [start, beside, against] = ["start", "beside", "against"].map((id) => element(id, "select"));
const results = shown(element("results", "section"));

const [first = ""] = Object.values(written);
const editor = editorIn(element("editor", "div"), first, () => later());
/** Whether the module may run: the visitor wrote or chose it, or agreed to it. */
let trusted = !location.hash.startsWith("#code=");
let timer = 0;
let sandbox: Sandbox | null = null;

const say = (text: string, isWrong = false): void => {
  status.textContent = text;
  status.classList.toggle("wrong", isWrong);
};

function perform(task: Task, limitMs: number, before: () => void, hear: (answer: Answer) => void) {
  if (sandbox === null || !trusted) return;
  clearTimeout(timer);
  before();
  stop.disabled = false;
  say(task.kind === "check" ? "Checking." : "Compiling.");
  sandbox.start(task, {
    limitMs,
    hear: (answer) => {
      if (answer.kind === "done" || answer.kind === "failed") stop.disabled = true;
      if (answer.kind === "done") say(answer.text);
      if (answer.kind === "failed") {
        say(answer.sentence, true);
        editor.mark(answer.sentence, answer.line, answer.column);
      }
      hear(answer);
    },
  });
}

function run(): void {
  const task: Task = {
    kind: "run",
    code: editor.code(),
    beside: beside!.value,
    against: against!.value,
  };
  perform(
    task,
    runLimitMs,
    () => {
      editor.unmark();
      results.begin();
    },
    (answer) => {
      if (answer.kind === "part") results.add(answer.part);
      if (answer.kind === "done") results.end();
    },
  );
}

function later(): void {
  clearTimeout(timer);
  timer = window.setTimeout(run, pauseMs);
}

function check(gpu: boolean): void {
  perform(
    { kind: "check", code: editor.code(), batches, gpu },
    checkLimitMs,
    () => {
      checked.textContent = "";
      checked.hidden = false;
    },
    (answer) => {
      if (answer.kind === "line") checked.textContent += `${answer.text}\n`;
    },
  );
}

const option = (value: string, text: string): HTMLOptionElement => new Option(text, value);
const group = (label: string, options: readonly HTMLOptionElement[]): HTMLOptGroupElement => {
  const made = document.createElement("optgroup");
  made.label = label;
  made.append(...options);
  return made;
};

function trust(): void {
  trusted = true;
  agree.hidden = true;
}

function begin(names: readonly string[]): void {
  const listed = (): readonly HTMLOptionElement[] => names.map((name) => option(name, name));
  start!.append(
    group(
      "Written out",
      Object.keys(written).map((name) => option(name, name)),
    ),
    group("Built in", listed()),
  );
  beside!.append(option("", "nothing"), ...listed());
  if (trusted) run();
  else say("Nothing has run yet.");
}

start!.addEventListener("change", () => {
  trust();
  editor.replace(written[start!.value] ?? builtInModule(start!.value));
});
for (const select of [beside!, against!]) select.addEventListener("change", run);
element("run", "button").addEventListener("click", run);
stop.addEventListener("click", () => sandbox?.stop("Stopped."));
element("check", "button").addEventListener("click", () => check(false));
const onGpu = element("check-gpu", "button");
onGpu.addEventListener("click", () => check(true));
element("agreed", "button").addEventListener("click", () => {
  trust();
  run();
});
element("share", "button").addEventListener("click", () => {
  void (async (): Promise<void> => {
    const link = await linkTo(editor.code());
    history.replaceState(null, "", link);
    try {
      await navigator.clipboard.writeText(link);
      say("The link is copied. Whoever opens it is asked before anything runs.");
    } catch {
      say("The link stands in the address bar.");
    }
  })();
});
if (!("gpu" in navigator)) {
  onGpu.disabled = true;
  onGpu.title = "This browser has no WebGPU; everything else works without it.";
}

async function open(): Promise<void> {
  try {
    const code = await codeIn(location.hash);
    if (code !== null) {
      editor.replace(code);
      agree.hidden = false;
    }
  } catch (error) {
    trusted = true;
    say((error as Error).message, true);
  }
  const source = fetch(workerAddress).then(async (answer) => await answer.text());
  sandbox = await Sandbox.open(source);
  sandbox.start(
    { kind: "names" },
    {
      limitMs: checkLimitMs,
      hear: (answer) => {
        if (answer.kind === "names") begin(answer.names);
        else if (answer.kind === "failed") say("The compiler could not be loaded.", true);
      },
    },
  );
}
void open();
