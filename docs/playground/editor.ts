// The editor: CodeMirror with TypeScript's colours, in light and dark, which underlines where a module is wrong.

import { javascript } from "@codemirror/lang-javascript";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, setDiagnostics } from "@codemirror/lint";
import { Compartment, type Extension } from "@codemirror/state";
import { tags } from "@lezer/highlight";
import { basicSetup, EditorView } from "codemirror";

/** Colours are those of the page, which are told apart from its ground in light and dark. */
const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.moduleKeyword, tags.controlKeyword], color: "var(--keyword)" },
  { tag: [tags.string, tags.regexp], color: "var(--string)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--number)" },
  { tag: tags.comment, color: "var(--comment)", fontStyle: "italic" },
  { tag: tags.definition(tags.variableName), color: "var(--link)" },
]);
const ground = {
  "&": { color: "var(--ink)", backgroundColor: "var(--ground)" },
  ".cm-gutters": { color: "var(--comment)", backgroundColor: "var(--soft)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--active)" },
  ".cm-content": { caretColor: "var(--ink)" },
};

export interface Editor {
  readonly code: () => string;
  readonly replace: (code: string) => void;
  /** Underlines the place of a mistake, counted from 1, with its sentence. */
  readonly mark: (sentence: string, line: number, column: number) => void;
  readonly unmark: () => void;
}

/** Puts an editor into an element. */
export function editorIn(parent: HTMLElement, code: string, changed: () => void): Editor {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = new Compartment();
  const chosen = (): Extension => EditorView.theme(ground, { dark: dark.matches });
  const view = new EditorView({
    parent,
    doc: code,
    extensions: [
      basicSetup,
      javascript({ typescript: true }),
      syntaxHighlighting(colours),
      lintGutter(),
      theme.of(chosen()),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ "aria-label": "Module that exports an objective" }),
      EditorView.updateListener.of(({ docChanged }) => {
        if (docChanged) changed();
      }),
    ],
  });
  dark.addEventListener("change", () => view.dispatch({ effects: theme.reconfigure(chosen()) }));
  return {
    code: () => view.state.doc.toString(),
    replace: (text) =>
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }),
    mark: (message, line, column) => {
      const { doc } = view.state;
      if (line < 1 || line > doc.lines) return;
      const at = doc.line(line);
      const indent = at.text.length - at.text.trimStart().length;
      const from = at.from + Math.min(column < 1 ? indent : column - 1, at.length);
      const start = from === at.to ? at.from : from;
      const { to } = at;
      view.dispatch(setDiagnostics(view.state, [{ from: start, to, severity: "error", message }]));
    },
    unmark: () => view.dispatch(setDiagnostics(view.state, [])),
  };
}
