// @vitest-environment node
import { expect, test } from "vitest";
import { placed } from "./Attempts";
import { EXPORTED, type Turn } from "./columns";
import { cell, exported, type Kind, type Progress } from "./exported";
import { filterOf } from "./filter";
import { phasesOf } from "./TurnTimes";

const turn = (id: string) => ({ ...Object.fromEntries(EXPORTED.map((name) => [name, null])), id, startedAt: "2026-01-01" }) as unknown as Turn;

/** Two pages: of two turns and of one. */
const fetch = async (after: string | null) =>
  after === null
    ? { nodes: [turn("3"), turn("2")], pageInfo: { hasNextPage: true, endCursor: "2" } }
    : { nodes: [turn("1")], pageInfo: { hasNextPage: false, endCursor: "1" } };

test("a cell is quoted where it must be, and is never a formula", () => {
  expect([null, 5, -1, "a", 'a"b', "a,b", "=1+1", "-x", "@a"].map(cell)).toEqual([
    "",
    "5",
    "-1",
    "a",
    '"a""b"',
    '"a,b"',
    "'=1+1",
    "'-x",
    "'@a",
  ]);
});

test("what has parts is JSON in its cell", () => {
  expect(cell({ message: "a", attempts: [] })).toBe('"{""message"":""a"",""attempts"":[]}"');
});

test("each attempt begins where the one before it ended, and none leaves the turn", () => {
  const lengths = (...ended: number[]) =>
    placed(ended.map((endedMs) => ({ endedMs })), 200).map((each) => [each.start, each.length]);
  expect(lengths(20, 50, 200)).toEqual([[0, 10], [10, 15], [25, 75]]);
  expect(lengths(50, 40, 300)).toEqual([[0, 25], [25, 0], [25, 75]]);
  expect(lengths()).toEqual([]);
});

test("all pages are written as JSON, with how far it is", async () => {
  const progress: Progress[] = [];
  const file = await exported("json", fetch, (each) => progress.push(each), new AbortController().signal);
  expect((JSON.parse(await file.text()) as Turn[]).map((each) => each.id)).toEqual(["3", "2", "1"]);
  expect(progress.map((each) => each.rows)).toEqual([2, 3]);
});

test("a log without a turn is a file nevertheless", async () => {
  const none = async () => ({ nodes: [], pageInfo: { hasNextPage: false, endCursor: null } });
  const run = (kind: Kind) => exported(kind, none, () => undefined, new AbortController().signal);
  expect(JSON.parse(await (await run("json")).text())).toEqual([]);
  expect(await (await run("csv")).text()).toBe(`${EXPORTED.join(",")}\r\n`);
});

test("an export that is stopped gives no file", async () => {
  const stop = new AbortController();
  const run = exported("csv", fetch, () => stop.abort(), stop.signal);
  await expect(run).rejects.toHaveProperty("name", "AbortError");
});

test("an address with anything in it makes a filter", () => {
  const filter = filterOf({ since: "yesterday", until: "2026-01-02T03:04:05Z", failed: "1", channel: "c", error: "e" }, 0);
  expect(filter).toMatchObject({
    since: null,
    until: "2026-01-02T03:04:05.000Z",
    failed: true,
    channelID: "c",
    errorCode: "e",
    keyID: null,
  });
});

test("a relative time is counted from now, whenever its address is opened", () => {
  const now = Date.parse("2026-01-02T03:00:00Z");
  expect(filterOf({ since: "1h" }, now).since).toBe("2026-01-02T02:00:00.000Z");
  expect(filterOf({ since: "7d" }, now).since).toBe("2025-12-26T03:00:00.000Z");
  expect(filterOf({ since: "7x" }, now).since).toBeNull();
});

test("the phases of a turn add up to the whole of it", () => {
  const lengths = (queueMs: number, firstEventMs: number | null, totalMs: number) =>
    phasesOf({ queueMs, firstEventMs, totalMs }).map((phase) => [phase.name, phase.start, phase.length]);
  expect(lengths(10, 60, 100)).toEqual([["queue", 0, 10], ["first", 10, 50], ["rest", 60, 40]]);
  expect(lengths(10, null, 100)).toEqual([["queue", 0, 10], ["noEvent", 10, 90]]);
  expect(lengths(120, 60, 100)).toEqual([["queue", 0, 100], ["first", 100, 0], ["rest", 100, 0]]);
});
