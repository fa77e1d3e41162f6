// Prints what every provocation ends in, as JSON. The tests run it as a process of its own, as `npm run errors` is one: under a test
// runner that has a loader of its own, a user's module fails in other words.
import { provokeAll } from "./index.ts";

process.stdout.write(JSON.stringify(await provokeAll()), () => process.exit(0));
