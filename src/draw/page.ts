// A page of HTML that needs nothing but itself: headings, texts as they are, and pictures. No script, no address elsewhere.

import { escaped } from "./svg.ts";

export interface Part {
  readonly heading: string;
  /** Shown as it is, in a fixed width. */
  readonly text?: string;
  /** An SVG document. */
  readonly picture?: string;
  /** Whether the text is hidden until it is asked for. */
  readonly folded?: boolean;
}

const style =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}" +
  "pre{font:13px/1.4 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere;background:#f5f5f5;padding:1rem}" +
  "details pre{white-space:pre;overflow-x:auto}svg{max-width:100%;height:auto}" +
  "@media (prefers-color-scheme:dark){body{color:#ddd;background:#181818}pre{background:#242424}}";

const body = ({ heading, text, picture, folded = false }: Part): string => {
  const shown = text === undefined ? "" : `<pre tabindex="0">${escaped(text)}</pre>`;
  const title = escaped(heading);
  return folded
    ? `<details><summary>${title}</summary>${shown}</details>`
    : `<h2>${title}</h2>\n${picture ?? ""}${shown}`;
};

/** The document. */
export const page = (title: string, parts: readonly Part[]): string =>
  [
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
    `<title>${escaped(title)}</title><style>${style}</style></head>`,
    `<body><main><h1>${escaped(title)}</h1>`,
    ...parts.map(body),
    "</main></body></html>",
    "",
  ].join("\n");
