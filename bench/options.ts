// The command line of npm run bench: the options of `prefc bench`, with built-in objectives by --objectives, and peers, whose
// libraries only a checkout has.

import { parseArgs } from "node:util";
import { PrefcError } from "../src/core/error.ts";
import { didYouMean } from "../src/core/names.ts";
import { builtIn, builtIns } from "../src/index.ts";
import { makesPairs, unevenRows } from "../src/bench/layout.ts";
import { flags, paths, readOptions, valued, type Options } from "../src/bench/options.ts";
import { list, words } from "../src/bench/words.ts";
import { peerNames, peerObjectives, type PeerName } from "./peers.ts";

export interface CheckoutOptions extends Options {
  readonly objectives: readonly string[];
  readonly peers: readonly PeerName[];
  /** Whether only peers are measured, and prefc beside them. */
  readonly onlyPeers: boolean;
  readonly help: boolean;
}

const objectivesText = "dpo,wpo";
const more = {
  objectives: `built-in objectives, or all (${objectivesText})`,
} as const;
const ownFlags = {
  ...flags,
  "only-peers": "peers, and nothing but prefc beside them",
  help: "this text",
} as const;
/** Flags that may have a value after an equals sign. */
const perhaps = {
  peers: `other libraries on the same inputs; --peers=NAMES for some of ${peerNames.join(", ")}`,
} as const;

/** What `--help` prints. */
export function usage(): string {
  const line = (name: string, text: string): string => `  --${name.padEnd(20)} ${text}`;
  return [
    "npm run bench -- [options]; lists are separated by commas",
    "",
    ...Object.entries(more).map(([name, text]) => line(name, text)),
    ...Object.entries(valued).map(([name, [initial, text]]) => line(name, `${text} (${initial})`)),
    ...Object.entries(paths).map(([name, [text]]) => line(name, text)),
    ...Object.entries({ ...perhaps, ...ownFlags }).map(([name, text]) => line(name, text)),
    "",
  ].join("\n");
}

const refuse = (code: "option-value" | "unknown-option" | "option-without-value", text: string) => {
  throw new PrefcError(code, text);
};

type Kind = "string" | "boolean" | "perhaps";
const kinds: Readonly<Record<string, Kind>> = Object.fromEntries([
  ...Object.keys({ ...more, ...valued, ...paths }).map((name) => [name, "string" as const]),
  ...Object.keys(ownFlags).map((name) => [name, "boolean" as const]),
  ...Object.keys(perhaps).map((name) => [name, "perhaps" as const]),
]);

/** The options of a command line by name. Values that are not given are absent; flags are true. */
function parsed(args: readonly string[]): Readonly<Record<string, string | true>> {
  const names = Object.keys(kinds);
  const options = Object.fromEntries(
    names.map((name) => [
      name,
      { type: kinds[name] === "string" ? ("string" as const) : ("boolean" as const) },
    ]),
  );
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  const found: Record<string, string | true> = {};
  for (const token of tokens) {
    if (token.kind === "positional")
      refuse("unknown-option", `"${token.value}" is no option; see npm run bench -- --help.`);
    if (token.kind !== "option") continue;
    const { name, value } = token;
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined)
      refuse(
        "unknown-option",
        `there is no option --${name}; see npm run bench -- --help.${didYouMean(name, names)}`,
      );
    if (kind === "string" && (value === undefined || value === "" || value.startsWith("--")))
      refuse("option-without-value", `--${name} needs a value; see npm run bench -- --help.`);
    if (kind === "boolean" && value !== undefined)
      refuse("option-value", `--${name} takes no value, but was given "${value}".`);
    found[name] = value ?? true;
  }
  return found;
}

function objectivesNamed(text: string): readonly string[] {
  const given = list(text);
  if (given.length === 0)
    refuse(
      "option-value",
      "--objectives: nothing is named; write for example --objectives dpo,wpo.",
    );
  if (given.includes("all")) return Object.keys(builtIns);
  for (const name of given) builtIn(name);
  return given;
}

const peersNamed = (given: string | boolean): readonly PeerName[] => {
  if (typeof given === "string") return words("peers", given, peerNames);
  return given ? peerNames : [];
};

/** Reads the command line. @throws PrefcError option-value, unknown-option, option-without-value */
export function readCheckoutOptions(args: readonly string[]): CheckoutOptions {
  const values = parsed(args.map((arg) => (arg === "-h" ? "--help" : arg)));
  const { objectives: named = objectivesText } = values;
  const options = readOptions(values);
  const peers = peersNamed(values["peers"] ?? values["only-peers"] === true);
  const uneven = peers.length === 0 ? undefined : options.rows.find((count) => !makesPairs(count));
  if (uneven !== undefined) refuse("option-value", unevenRows(uneven));
  const objectives = objectivesNamed(String(named));
  if (peers.length > 0 && !objectives.some((name) => peerObjectives.includes(name)))
    refuse(
      "option-value",
      `--peers: peers have ${peerObjectives.join(" and ")}; name one of them in --objectives.`,
    );
  return {
    ...options,
    objectives,
    peers,
    onlyPeers: values["only-peers"] === true,
    help: values["help"] === true,
  };
}
