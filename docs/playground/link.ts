// A link that holds a module: compressed, in the part of an address that no server is sent.

const prefix = "#code=";
/** Characters of a module that a link may hold, so that a small link cannot unpack to a huge one. */
const longest = 200_000;

const through = (
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
): ReadableStream<Uint8Array> => new Blob([bytes]).stream().pipeThrough(stream);

/** The address of this page with a module in it. */
export async function linkTo(code: string): Promise<string> {
  const packed = through(new TextEncoder().encode(code), new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(packed).arrayBuffer());
  const text = btoa(Array.from(bytes, (byte) => String.fromCodePoint(byte)).join(""));
  const safe = text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return `${location.origin}${location.pathname}${prefix}${safe}`;
}

/** The module in a fragment; null where there is none. @throws Error where what is there cannot be read */
export async function codeIn(fragment: string): Promise<string | null> {
  if (!fragment.startsWith(prefix)) return null;
  const unreadable = "The link holds no module that can be read; ask for it again.";
  try {
    const text = fragment.slice(prefix.length).replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(text), (one) => one.codePointAt(0)!);
    const reader = through(bytes, new DecompressionStream("deflate-raw")).getReader();
    const decoder = new TextDecoder("utf-8", { fatal: true });
    let code = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return code + decoder.decode();
      code += decoder.decode(value, { stream: true });
      if (code.length > longest) throw new Error("too long");
    }
  } catch (cause) {
    throw new Error(unreadable, { cause });
  }
}
