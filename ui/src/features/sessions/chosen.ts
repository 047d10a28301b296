/** Which live connections are shown, and what they come to. */
import type { LiveSession } from "./live";

export interface Wanted {
  node?: string;
  channel?: string;
  state?: string;
  text?: string;
}

/** Node by node, in the order they were opened: a row stays where it is. */
export function chosen(sessions: readonly LiveSession[], wanted: Wanted): LiveSession[] {
  const text = wanted.text?.toLowerCase() ?? "";
  return sessions
    .filter(
      (each) =>
        (wanted.node === undefined || each.node === wanted.node) &&
        (wanted.channel === undefined || each.channelID === wanted.channel) &&
        (wanted.state === undefined || each.state === wanted.state) &&
        (text === "" || `${each.session} ${each.channel} ${each.connection} ${each.keyName} ${each.model}`.toLowerCase().includes(text)),
    )
    .sort((a, b) => a.node.localeCompare(b.node) || a.connection - b.connection);
}

export function totals(sessions: readonly LiveSession[]) {
  const sums = { inFlight: 0, waiting: 0, turns: 0, continued: 0, bytesSaved: 0 };
  const waits = new Set<string>();
  for (const each of sessions) {
    sums.turns += each.turns;
    sums.continued += each.continued;
    sums.bytesSaved += each.bytesSaved;
    if (each.state === "leased") sums.inFlight += 1;
    // What waits is told with each connection of its session; it counts once.
    const key = `${each.node} ${each.channelID} ${each.scope} ${each.session}`;
    if (!waits.has(key)) sums.waiting += each.waiting;
    waits.add(key);
  }
  return sums;
}
