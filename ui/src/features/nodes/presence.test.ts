import { expect, test } from "vitest";
import { namesOf, type Node } from "@/api/nodes";
import { countingAlone, type PresentRow, presenceOf, rowsOf, sumsOf, takenNames, versionsOf } from "./presence";

const node = (name: string, part: Partial<Node> = {}): Node => ({
  name,
  epoch: `life-of-${name}`,
  host: "host",
  pid: 7,
  version: "1.0.0",
  stage: "ready",
  since: "2026-01-01T00:00:00Z",
  heartbeatAge: 2,
  sessions: 3,
  turnsPerSecond: 0.5,
  turnsUnderWay: 1,
  isSelf: false,
  isDuplicate: false,
  counts: [{ what: "limits", where: "valkey" }],
  ...part,
});
const there = (...nodes: Node[]): PresentRow[] => rowsOf({ nodes, missing: [] }, 0).map((row) => ({ ...row, presence: "here" }));

test("nodes and those that went silent stand by their names, a number in them counts as one", () => {
  const answer = { nodes: [node("lw-10"), node("lw-2")], missing: [{ name: "lw-1", silentFor: 40 }] };
  const rows = rowsOf(answer, 100_000);
  expect(rows.map((row) => [row.name, row.heardAt])).toEqual([
    ["lw-1", 60_000],
    ["lw-2", 98_000],
    ["lw-10", 98_000],
  ]);
  expect(namesOf(answer)).toEqual(["lw-1", "lw-2", "lw-10"]);
});

test("two processes of one name are two rows, and one name that is taken", () => {
  const answer = { nodes: [node("lw-0", { epoch: "a", isDuplicate: true }), node("lw-0", { epoch: "b", isDuplicate: true })], missing: [] };
  expect(rowsOf(answer, 0).map((row) => row.node?.epoch)).toEqual(["a", "b"]);
  expect(namesOf(answer)).toEqual(["lw-0"]);
  expect(takenNames(answer.nodes)).toEqual(["lw-0"]);
  expect(takenNames([node("lw-1")])).toEqual([]);
});

test("a node is gone once two heartbeats are missing, though it may still be listed", () => {
  const [listed] = there(node("lw-0", { heartbeatAge: 0 }));
  expect(presenceOf(listed as PresentRow, false, 10_999)).toBe("here");
  expect(presenceOf(listed as PresentRow, false, 11_000)).toBe("gone");
  expect(presenceOf({ name: "lw-1", node: undefined, heardAt: 0 }, false, 0)).toBe("gone");
});

test("who is cut off from Valkey says nothing of other nodes; the one that answers is there", () => {
  const [other] = there(node("lw-0"));
  const [own] = there(node("lw-0", { isSelf: true }));
  expect(presenceOf(other as PresentRow, true, 0)).toBe("unknown");
  expect(presenceOf({ name: "lw-1", node: undefined, heardAt: 0 }, true, 900_000)).toBe("unknown");
  expect(presenceOf(own as PresentRow, true, 900_000)).toBe("here");
});

test("sums and versions are those of the nodes that are there", () => {
  const rows = there(node("lw-0", { version: "1.10.0" }), node("lw-1", { version: "1.9.0" }), node("lw-2", { version: "1.10.0" }));
  expect(sumsOf(rows)).toEqual({ nodes: 3, sessions: 9, turnsPerSecond: 1.5, turnsUnderWay: 3 });
  expect(versionsOf(rows)).toEqual([
    ["1.9.0", ["lw-1"]],
    ["1.10.0", ["lw-0", "lw-2"]],
  ]);
  const left = rows.map((row) => (row.name === "lw-1" ? { ...row, presence: "gone" as const } : row));
  expect(sumsOf(left)).toEqual({ nodes: 2, sessions: 6, turnsPerSecond: 1, turnsUnderWay: 2 });
  expect(versionsOf(left).map(([version]) => version)).toEqual(["1.10.0"]);
});

test("who counts alone is named", () => {
  const alone = node("lw-1", { counts: [{ what: "limits", where: "process" }, { what: "homes", where: "valkey" }] });
  expect(countingAlone([node("lw-0"), alone], "limits")).toEqual(["lw-1"]);
  expect(countingAlone([node("lw-0"), alone], "homes")).toEqual([]);
});
