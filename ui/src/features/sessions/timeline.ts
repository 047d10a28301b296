/** A run's turns on one line of time: lanes for its sessions, and what lies between them shortened. */
import type { RunTurn } from "./runs";

/** A pause so long is said, and takes no more of the line than `SHORT` of it. */
const PAUSE_MS = 10_000;
const SHORT = 0.02;

export interface Bar {
  kind: "turn";
  id: string;
  turn: RunTurn;
  lane: number;
  /** Where it begins, has its first event and ends, as parts of the whole line. */
  start: number;
  first: number;
  end: number;
}

export interface Pause {
  kind: "pause";
  id: string;
  ms: number;
}

export interface Timeline {
  rows: readonly (Bar | Pause)[];
  /** Sessions in the order in which they came. */
  lanes: readonly string[];
  /** From the first turn's start to the last one's end. */
  ms: number;
}

export function timelineOf(turns: readonly RunTurn[]): Timeline {
  const spans = turns
    .map((turn) => ({ turn, from: Date.parse(turn.startedAt), to: Date.parse(turn.startedAt) + turn.totalMs }))
    .sort((a, b) => a.from - b.from || a.to - b.to);
  const lanes = [...new Set(spans.map(({ turn }) => turn.session))];
  const busy = busySpans(spans);
  const length = busy.reduce((sum, each) => sum + each.to - each.from, 0);
  const pause = Math.max(1, length) * SHORT;
  const whole = Math.max(1, length + pause * Math.max(0, busy.length - 1));
  let place = 0;
  const starts = busy.map((each, index) => {
    const at = place + index * pause;
    place += each.to - each.from;
    return at;
  });
  const rows: (Bar | Pause)[] = [];
  let at = 0;
  for (const { turn, from, to } of spans) {
    const next = busy[at + 1];
    if (next !== undefined && from >= next.from) {
      rows.push({ kind: "pause", id: `pause-${turn.id}`, ms: next.from - (busy[at]?.to ?? next.from) });
      at += 1;
    }
    const origin = (starts[at] ?? 0) - (busy[at]?.from ?? from);
    const part = (time: number) => (time + origin) / whole;
    const first = Math.min(to, from + (turn.firstEventMs ?? turn.totalMs));
    rows.push({ kind: "turn", id: turn.id, turn, lane: lanes.indexOf(turn.session), start: part(from), first: part(first), end: part(to) });
  }
  return { rows, lanes, ms: (busy.at(-1)?.to ?? 0) - (busy.at(0)?.from ?? 0) };
}

const LONGEST_NAME = 22;

/** A name whose ends tell it apart: sub-agents of one session differ in the last letters. */
export function shortened(name: string): string {
  return name.length <= LONGEST_NAME ? name : `${name.slice(0, 8)}…${name.slice(-(LONGEST_NAME - 9))}`;
}

interface Span {
  from: number;
  to: number;
}

/** Spans of time without a pause in them. */
function busySpans(spans: readonly Span[]): Span[] {
  const busy: Span[] = [];
  for (const { from, to } of spans) {
    const last = busy.at(-1);
    if (last !== undefined && from - last.to < PAUSE_MS) last.to = Math.max(last.to, to);
    else busy.push({ from, to });
  }
  return busy;
}
