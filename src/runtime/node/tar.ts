// Reads the few files we need out of a ustar archive held in memory. Only plain files with the names asked for are
// taken, so that an archive can neither write elsewhere nor bring anything unexpected.

const blockBytes = 512;

const textAt = (archive: Uint8Array, start: number, length: number): string => {
  const field = archive.subarray(start, start + length);
  const end = field.indexOf(0);
  return String.fromCharCode(...field.subarray(0, end < 0 ? length : end));
};

/** The plain files of an archive whose names are wanted, by name. A leading "./" is ignored; other folders never match. */
export const filesInTar = (
  archive: Uint8Array,
  wanted: readonly string[],
): ReadonlyMap<string, Uint8Array> => {
  const found = new Map<string, Uint8Array>();
  for (let header = 0; header + blockBytes <= archive.length;) {
    const name = textAt(archive, header, 100).replace(/^\.\//, "");
    if (name === "") break;
    const size = Number.parseInt(textAt(archive, header + 124, 12).trim() || "0", 8);
    const start = header + blockBytes;
    if (!Number.isSafeInteger(size) || start + size > archive.length) break;
    const kind = textAt(archive, header + 156, 1);
    if ((kind === "" || kind === "0") && wanted.includes(name)) {
      found.set(name, archive.subarray(start, start + size));
    }
    header = start + Math.ceil(size / blockBytes) * blockBytes;
  }
  return found;
};
