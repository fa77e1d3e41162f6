// The cache of files that are loaded as code: always exactly what was put there, whatever happened to it in between.
import fc from "fast-check";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadBundledDriver, unpackSwiftShader } from "../../src/runtime/node/bundled.ts";
import { cacheRoots, fillCache, isIntact } from "../../src/runtime/node/cache.ts";
import { filesInTar } from "../../src/runtime/node/tar.ts";
import { inChild, inChildren } from "./child.ts";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "prefc-spec-"));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const names = ["one", "two"] as const;
const contents = new Map<string, Uint8Array>([
  ["one", Buffer.from("the first file")],
  ["two", Buffer.from([0, 1, 2, 255])],
]);

const files = (folder: string): ReadonlyMap<string, Uint8Array> =>
  new Map(names.map((name) => [name, new Uint8Array(readFileSync(join(folder, name)))]));

const expected = new Map([...contents].map(([name, content]) => [name, new Uint8Array(content)]));

describe("a cache folder", () => {
  it("is written once, closed to others, and left alone while it is intact", () => {
    const folder = join(root, "cache");
    expect(fillCache(folder, names, () => contents)).toBe(true);
    expect(files(folder)).toEqual(expected);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const written = fillCache(folder, names, () => {
      throw new Error("an intact cache asks for nothing");
    });
    expect(written).toBe(false);
  });

  const damages: Readonly<Record<string, (path: string, position: number) => void>> = {
    "a changed byte": (path, position) => {
      const content = readFileSync(path);
      const at = position % content.length;
      content.writeUInt8((content.readUInt8(at) + 1) % 256, at);
      writeFileSync(path, content);
    },
    "a truncated file": (path, position) => {
      const content = readFileSync(path);
      writeFileSync(path, content.subarray(0, position % content.length));
    },
    "a longer file": (path) =>
      writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.from(" ")])),
    "a missing file": (path) => rmSync(path),
    "a link in a file's place": (path) => {
      const elsewhere = join(root, "elsewhere");
      writeFileSync(elsewhere, readFileSync(path));
      rmSync(path);
      symlinkSync(elsewhere, path);
    },
  };

  it.each(Object.keys(damages))("is rebuilt after %s", (kind) => {
    const damaged = [...names, "manifest.json"];
    fc.assert(
      fc.property(fc.constantFrom(...damaged), fc.nat(), (name, position) => {
        const folder = mkdtempSync(join(root, "cache-"));
        fillCache(folder, names, () => contents);
        const path = join(folder, name);
        damages[kind]?.(path, position);
        if (name !== "manifest.json") expect(isIntact(folder, names)).toBe(false);
        fillCache(folder, names, () => contents);
        expect(files(folder)).toEqual(expected);
        expect(isIntact(folder, names)).toBe(true);
        expect(readdirSync(folder).toSorted()).toEqual(damaged.toSorted());
      }),
      { numRuns: 20 },
    );
  });

  it.skipIf(process.platform === "win32")("is refused when others may write to it", () => {
    const folder = join(root, "open");
    mkdirSync(folder);
    chmodSync(folder, 0o777);
    expect(() => fillCache(folder, names, () => contents)).toThrow("writable by other users");
    expect(() => fillCache(join(folder, "below"), names, () => contents)).toThrow(
      "writable by other users",
    );
  });

  it.skipIf(process.platform === "win32")("is refused when it is a link to somewhere else", () => {
    const folder = join(root, "link");
    symlinkSync(root, folder);
    expect(() => fillCache(folder, names, () => contents)).toThrow("not a folder of");
  });

  it("lives where XDG_CACHE_HOME says, if that is absolute, else below home or the temporary folder", () => {
    expect(cacheRoots({ XDG_CACHE_HOME: root })[0]).toBe(join(root, "prefc"));
    const plain = cacheRoots({});
    expect(cacheRoots({ XDG_CACHE_HOME: "relative" })).toEqual(plain);
    expect(plain.at(-1)?.startsWith(join(tmpdir(), "prefc-"))).toBe(true);
  });
});

describe("the tar reader", () => {
  const entry = (name: string, content: Uint8Array, kind = "0"): Buffer => {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
    header.write(kind, 156);
    const padded = Buffer.alloc(Math.ceil(content.length / 512) * 512);
    padded.set(content);
    return Buffer.concat([header, padded]);
  };
  const end = Buffer.alloc(1024);

  it("gives back exactly the wanted files", () => {
    const name = fc.stringMatching(/^[a-z]{1,20}$/);
    const content = fc.uint8Array({ maxLength: 1500 });
    fc.assert(
      fc.property(
        fc.dictionary(name, content, { noNullPrototype: true }),
        fc.nat(),
        (packed, skip) => {
          const all = Object.entries(packed);
          const archive = Buffer.concat([
            ...all.map(([key, value]) => entry(`./${key}`, value)),
            end,
          ]);
          const wanted = all.filter((_, index) => index !== skip % (all.length + 1));
          const found = filesInTar(
            archive,
            wanted.map(([key]) => key),
          );
          expect([...found].map(([key, value]) => [key, [...value]])).toEqual(
            wanted.map(([key, value]) => [key, [...value]]),
          );
        },
      ),
    );
  });

  it("takes neither links, nor files of other folders, nor files cut short", () => {
    const content = Buffer.from("content");
    const archive = Buffer.concat([
      entry("one", content, "2"),
      entry("../one", content),
      entry("folder/one", content),
    ]);
    expect(filesInTar(archive, ["one"]).size).toBe(0);
    expect(filesInTar(entry("one", content).subarray(0, 515), ["one"]).size).toBe(0);
  });
});

describe.runIf(process.platform === "linux" && process.arch === "x64")("the bundled driver", () => {
  const open = (): unknown => inChild(["open", "swiftshader"], { XDG_CACHE_HOME: root }).kind;
  const library = (): string => {
    const [folder = ""] = readdirSync(join(root, "prefc"));
    return join(root, "prefc", folder, "libvk_swiftshader.so");
  };

  it("opens from an empty cache, and again after its library was damaged", () => {
    expect(open()).toBe("bundled");
    const whole = readFileSync(library());
    writeFileSync(library(), whole.subarray(0, 1000));
    expect(open()).toBe("bundled");
    expect(readFileSync(library()).equals(whole)).toBe(true);
  });

  it("is unpacked whole by processes that race, from nothing and from a damaged cache", async () => {
    const alone = unpackSwiftShader(join(root, "alone"));
    const reference = readFileSync(join(alone, "libvk_swiftshader.so"));
    const shared = join(root, "shared");
    for (const damage of [false, true]) {
      if (damage) {
        const [folder = ""] = readdirSync(shared);
        writeFileSync(join(shared, folder, "libvk_swiftshader.so"), "damaged");
      }
      const reports = await inChildren(["unpack", shared], 3);
      const folders = new Set(reports.map(({ folder }) => folder));
      expect(folders.size).toBe(1);
      const [folder = ""] = folders;
      expect(readdirSync(folder).toSorted()).toEqual(readdirSync(alone).toSorted());
      expect(readFileSync(join(folder, "libvk_swiftshader.so")).equals(reference)).toBe(true);
    }
  });

  it("goes to the next folder when the first cannot be written, and says why when none can", () => {
    const file = join(root, "file");
    writeFileSync(file, "not a folder");
    const usable = join(root, "usable");
    expect(loadBundledDriver([join(file, "below"), usable]).startsWith(usable)).toBe(true);
    expect(() => loadBundledDriver([join(file, "below")])).toThrow(
      expect.objectContaining({ code: "bundled-adapter-broken" }),
    );
  });
});
