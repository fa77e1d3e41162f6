// The versions that a measurement depends on.

import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

export function environmentVersions(): Readonly<Record<string, string>> {
  const version = (path: string): string => (require(path) as { version: string }).version;
  return {
    prefc: version("../package.json"),
    node: process.version,
    webgpu: version("webgpu/package.json"),
  };
}
