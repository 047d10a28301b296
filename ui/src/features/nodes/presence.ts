/** Who is there, and who is not any more. */
import type { Node, Nodes } from "@/api/nodes";

/** A heartbeat comes every 5 s, and a node that missed two is gone; the gateway lists it some seconds longer. */
const GONE_AFTER = 11_000;

/** A process, or the name of one that went silent: nothing else is known of it. */
export interface Row {
  name: string;
  node: Node | undefined;
  /** When its last heartbeat was, in ms by this machine's clock. */
  heardAt: number;
}

/** What others do nobody knows while a node is cut off from Valkey. */
export type Presence = "here" | "unknown" | "gone";
export type PresentRow = Row & { presence: Presence };

const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name, undefined, { numeric: true });

/** The nodes and those that went silent, by their names, of an answer that came at a time. */
export function rowsOf({ nodes, missing }: Pick<Nodes, "nodes" | "missing">, at: number): Row[] {
  const there = nodes.map((node) => ({ name: node.name, node, heardAt: at - node.heartbeatAge * 1_000 }));
  const gone = missing.map(({ name, silentFor }) => ({ name, node: undefined, heardAt: at - silentFor * 1_000 }));
  return [...there, ...gone].sort(byName);
}

export function presenceOf({ node, heardAt }: Row, isCutOff: boolean, now: number): Presence {
  if (node?.isSelf) return "here";
  if (isCutOff) return "unknown";
  return node !== undefined && now - heardAt < GONE_AFTER ? "here" : "gone";
}

const FIGURES = ["sessions", "turnsPerSecond", "turnsUnderWay"] as const;

/** The nodes that are there. */
export function here(rows: readonly PresentRow[]): Node[] {
  return rows.flatMap(({ node, presence }) => (node !== undefined && presence === "here" ? [node] : []));
}

/** What the nodes that are there come to. */
export function sumsOf(rows: readonly PresentRow[]): Record<"nodes" | (typeof FIGURES)[number], number> {
  const nodes = here(rows);
  const sums = { nodes: nodes.length, sessions: 0, turnsPerSecond: 0, turnsUnderWay: 0 };
  for (const node of nodes) for (const figure of FIGURES) sums[figure] += node[figure];
  return sums;
}

/** Which of the nodes that are there run which version, the oldest version first. */
export function versionsOf(rows: readonly PresentRow[]): [version: string, names: string[]][] {
  const found = new Map<string, string[]>();
  for (const { version, name } of here(rows)) found.set(version, [...(found.get(version) ?? []), name]);
  return [...found].sort(([a], [b]) => a.localeCompare(b, undefined, { numeric: true }));
}

/** The names that several processes have at once. */
export function takenNames(nodes: readonly Pick<Node, "name" | "isDuplicate">[]): string[] {
  return [...new Set(nodes.filter((node) => node.isDuplicate).map((node) => node.name))];
}

/** The names of nodes that count something by themselves. */
export function countingAlone(nodes: readonly Pick<Node, "name" | "counts">[], what: string): string[] {
  return nodes.filter(({ counts }) => counts.some((each) => each.what === what && each.where !== "valkey")).map(({ name }) => name);
}
