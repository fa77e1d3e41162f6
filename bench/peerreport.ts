// Peers in the report: for each shape a table of their times beside prefc's from the same rounds, and below it, in a
// sentence each, which of them are wrong, crashed or are not here.

import { peerVerdicts, sentenceOf } from "./goals.ts";
import type { PeerLine } from "./peerlines.ts";
import { peerTexts, type PeerName } from "./peers.ts";

const number = (value: number | null, digits: number): string =>
  value === null ? "" : value.toFixed(digits);

const columns: readonly (readonly [title: string, cell: (line: PeerLine) => string])[] = [
  ["objective", ({ objective }) => objective],
  ["provider", ({ provider }) => provider],
  ["clock", ({ clock }) => clock],
  ["ms", ({ ms_median }) => number(ms_median, 2)],
  ["p20–p80", ({ ms_p20, ms_p80 }) => `${number(ms_p20, 2)}–${number(ms_p80, 2)}`],
  ["time / prefc", ({ ms_vs_compiled }) => number(ms_vs_compiled, 1)],
  ["processor ms", ({ processor_ms_median }) => number(processor_ms_median, 1)],
  ["processor / prefc", ({ processor_ms_vs_compiled }) => number(processor_ms_vs_compiled, 1)],
  ["GB/s of the floor", ({ gb_s }) => number(gb_s, 2)],
  ["loss", ({ loss }) => (loss === null ? "" : loss.toPrecision(7))],
  ["check", ({ ok }) => (ok ? "ok" : "WRONG")],
];

/** The goals that hold for these lines, and which of them are reached; nothing where none do. */
function goalsOf(lines: readonly PeerLine[]): readonly string[] {
  const found = peerVerdicts(lines).filter(({ goal }) => goal !== null);
  if (found.length === 0) return [];
  return ["## Goals", "", ...found.map((verdict) => `- ${sentenceOf(verdict)}`), ""];
}

/** Lines of every shape together; the empty text without any. */
export function peerReport(lines: readonly PeerLine[]): string {
  const [first] = lines;
  if (first === undefined) return "";
  const { device, commit } = first;
  const versions = Object.entries(first.versions).map(([name, version]) => `${name} ${version}`);
  const shapes = new Map<string, PeerLine[]>();
  for (const line of lines) {
    shapes.set(line.section, [...(shapes.get(line.section) ?? []), line]);
  }
  const head = [
    "# Peers",
    "",
    `${device}; commit ${commit}; ${versions.join(", ")}.`,
    "",
    "Loss and gradient together, whole calls, each peer in a process of its own; every step of a peer has five steps of prefc beside it, of which the median counts.",
    "",
  ];
  return (
    [
      ...head,
      ...whatTheyAre(lines),
      "",
      ...[...shapes].flatMap(([title, own]) => table(title, own)),
      ...goalsOf(lines),
    ].join("\n") + "\n"
  );
}

/** A line for each peer that answered: what it is, and its versions. */
function whatTheyAre(lines: readonly PeerLine[]): readonly string[] {
  const answered = new Map(
    lines.flatMap(({ provider, peer_versions }) =>
      Object.keys(peer_versions).length === 0 ? [] : [[provider, peer_versions] as const],
    ),
  );
  return [...answered].map(([provider, versions]) => {
    const what = Object.hasOwn(peerTexts, provider) ? peerTexts[provider as PeerName] : "a peer";
    const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
    return `- ${provider}: ${what} (${named.join(", ")})`;
  });
}

function table(title: string, lines: readonly PeerLine[]): readonly string[] {
  const row = (values: readonly string[]): string => `| ${values.join(" | ")} |`;
  const measured = lines.filter(({ ms_median }) => ms_median !== null);
  const notes = lines.flatMap(({ objective, provider, clock, outcome, note }) =>
    note === null || clock === "gpu" ? [] : [`- ${objective}, ${provider}: ${outcome}: ${note}`],
  );
  return [
    `## ${title}`,
    "",
    ...(measured.length === 0
      ? []
      : [
          row(columns.map(([name]) => name)),
          row(columns.map(() => "---")),
          ...measured.map((line) => row(columns.map(([, cell]) => cell(line)))),
          "",
        ]),
    ...(notes.length === 0 ? [] : [...notes, ""]),
  ];
}
