// Shows the parts of an answer: text as text, and pictures as images, in which no script runs. What was open stays open when the
// next answer comes.

import type { Part } from "./messages.ts";

export interface Shown {
  /** Marks what is shown as out of date. */
  readonly begin: () => void;
  readonly add: (part: Part) => void;
  /** Takes away what the last answer no longer has. */
  readonly end: () => void;
}

/** Shows parts in an element. */
export function shown(place: HTMLElement): Shown {
  const parts = new Map<string, HTMLDetailsElement>();
  const fresh = new Set<string>();
  return {
    begin: () => {
      fresh.clear();
      place.classList.add("stale");
    },
    add: (part) => {
      place.classList.remove("stale");
      fresh.add(part.heading);
      let details = parts.get(part.heading);
      if (details === undefined) {
        details = document.createElement("details");
        details.open = part.folded !== true;
        parts.set(part.heading, details);
        place.append(details);
      }
      details.replaceChildren(...contents(part));
    },
    end: () => {
      for (const [heading, details] of parts) {
        if (fresh.has(heading)) continue;
        details.remove();
        parts.delete(heading);
      }
      // what is in its place stays there, and with it the focus
      [...fresh].forEach((heading, at) => {
        const [details, there] = [parts.get(heading)!, place.children[at]];
        if (there !== details) place.insertBefore(details, there ?? null);
      });
    },
  };
}

/** Whether a text has lines that no column holds. */
const isWide = (text: string): boolean => text.split("\n").some((line) => line.length > 110);

function contents({ heading, text, picture, copied }: Part): readonly HTMLElement[] {
  const summary = document.createElement("summary");
  const title = document.createElement("h2");
  title.textContent = heading;
  summary.append(title);
  const made: HTMLElement[] = [summary];
  if (copied === true) made.push(copier(heading, text));
  if (picture !== undefined) {
    const image = document.createElement("img");
    image.alt = `Curves of the loss and its gradient. ${text}.`;
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(picture)}`;
    const note = document.createElement("p");
    note.textContent = `${text}.`;
    made.push(image, note);
    return made;
  }
  const body = document.createElement("pre");
  body.textContent = text;
  body.classList.toggle("wrapped", copied !== true && isWide(text));
  body.tabIndex = 0;
  body.setAttribute("role", "region");
  body.setAttribute("aria-label", heading);
  made.push(body);
  return made;
}

function copier(heading: string, text: string): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy ${heading}`);
  button.addEventListener("click", () => {
    navigator.clipboard.writeText(text).then(
      () => (button.textContent = "Copied"),
      () => (button.textContent = "The browser does not let a page copy"),
    );
  });
  return button;
}
