import { expect, test } from "vitest";
import { chosen, totals } from "./chosen";
import { grouped } from "./grouped";
import { after, type LiveSession } from "./live";

type Changed = Parameters<typeof after>[1]["changed"][number];

const session = (connection: number, part: Partial<Changed> = {}): Changed => ({
  id: `lw-0/${connection}`,
  node: "lw-0",
  connection,
  channel: "main",
  channelID: "c1",
  scope: "api_key:k",
  session: "s",
  state: "idle",
  age: 10,
  lifetime: 3_000,
  waiting: 0,
  turns: 2,
  continued: 1,
  bytesSaved: 100,
  last: "continued",
  recent: ["new_session", "continued"],
  keyName: "dev",
  model: "m",
  run: "r",
  trace: "t",
  ...part,
});
const whole = (...changed: Changed[]) => ({ isWhole: true, changed, gone: [], missingNodes: [] });

test("what did not change stays the same object, and its birth is not moved", () => {
  const before = after(new Map(), whole(session(1), session(2)), 100_000);
  const then = after(before, { isWhole: false, changed: [session(2, { age: 12, turns: 3 })], gone: [], missingNodes: [] }, 105_000);
  expect(then.get("lw-0/1")).toBe(before.get("lw-0/1"));
  expect(then.get("lw-0/2")?.turns).toBe(3);
  expect(then.get("lw-0/2")?.bornAt).toBe(before.get("lw-0/2")?.bornAt);
});

test("a whole list replaces what was known, as after a restart of the gateway", () => {
  const before = after(new Map(), whole(session(1), session(2)), 100_000);
  expect([...after(before, whole(session(2, { age: 1 })), 200_000).values()].map((each) => each.bornAt)).toEqual([199_000]);
});

test("what ended goes", () => {
  const before = after(new Map(), whole(session(1), session(2)), 0);
  expect([...after(before, { isWhole: false, changed: [], gone: ["lw-0/1"], missingNodes: [] }, 0).keys()]).toEqual(["lw-0/2"]);
});

test("what waits for one session counts once, though each of its connections tells it", () => {
  const live = after(new Map(), whole(session(1, { waiting: 2 }), session(2, { waiting: 2, state: "leased" })), 0);
  expect(totals([...live.values()])).toEqual({ inFlight: 1, waiting: 2, turns: 4, continued: 2, bytesSaved: 200 });
});

test("rows are chosen by node, channel, state and text, in the order they were opened", () => {
  const elsewhere = session(1, { id: "lw-1/1", node: "lw-1", session: "other" });
  const live = [...after(new Map(), whole(elsewhere, session(2), session(1, { state: "leased", session: "abc" })), 0).values()];
  const ids = (rows: LiveSession[]) => rows.map((each) => each.id);
  expect(ids(chosen(live, {}))).toEqual(["lw-0/1", "lw-0/2", "lw-1/1"]);
  expect(ids(chosen(live, { node: "lw-1" }))).toEqual(["lw-1/1"]);
  expect(ids(chosen(live, { state: "leased" }))).toEqual(["lw-0/1"]);
  expect(ids(chosen(live, { text: "ABC" }))).toEqual(["lw-0/1"]);
  expect(ids(chosen(live, { channel: "other" }))).toEqual([]);
});

test("connections of one session stand below it, those of other keys and of no session for themselves", () => {
  const live = [
    session(1),
    session(2, { scope: "api_key:other" }),
    session(3, { session: "" }),
    session(4, { session: "" }),
    session(5, { channel: "second" }),
  ].map((each) => ({ ...each, bornAt: 0 }));
  const rows = grouped(live).map((row) => (row.kind === "group" ? row.connections.length : [row.connection.connection, row.isBelow]));
  expect(rows).toEqual([2, [1, true], [5, true], [2, false], [3, false], [4, false]]);
});
