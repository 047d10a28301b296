/** Live connections by the session that they are kept for. */
import type { LiveSession } from "./live";

export interface Group {
  kind: "group";
  id: string;
  connections: readonly LiveSession[];
}

export interface Single {
  kind: "connection";
  id: string;
  connection: LiveSession;
  /** Whether it stands below its session, which has more than one. */
  isBelow: boolean;
}

export type LiveRow = Group | Single;

/** A session with one connection is one row; one with more is a row with theirs below it. */
export function grouped(sessions: readonly LiveSession[]): LiveRow[] {
  const groups = new Map<string, LiveSession[]>();
  for (const each of sessions) {
    // Who named no session shares nothing: each connection stands for itself.
    const key = each.session === "" ? each.id : `${each.scope} ${each.session}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [each]);
    else group.push(each);
  }
  return [...groups.values()].flatMap((connections): LiveRow[] => {
    const rows = connections.map((connection): Single => ({ kind: "connection", id: connection.id, connection, isBelow: connections.length > 1 }));
    const [first] = connections;
    if (first === undefined || connections.length === 1) return rows;
    return [{ kind: "group", id: `${first.scope} ${first.session}`, connections }, ...rows];
  });
}
