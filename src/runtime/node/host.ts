// What the runtime needs from Node, gathered in the one module that the rest of the runtime loads dynamically: where to
// look for adapters outside a browser, how much memory there is, which versions are installed, and a device that
// executes nothing, for checking shaders.
export { probeNode } from "./search.ts";
export { nullDevice } from "./null.ts";
export { readTuning } from "./tuned.ts";
export { coreCount, defaultAdapterName, memoryBytes, versions } from "./system.ts";
