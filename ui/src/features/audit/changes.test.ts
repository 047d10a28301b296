import { expect, test } from "vitest";
import type { Entry } from "./api";
import { changesOf, daysOf, endedOf, type Shows, textOf } from "./changes";

const SHOWS: Shows = {
  name: (id) => (id === "prj_1" ? "Paper" : id),
  word: (_field, value) => value,
  yesNo: (value) => (value ? "yes" : "no"),
  number: String,
  money: (value) => `$${value.toFixed(2)}`,
  time: (at) => at,
};

const entry = (part: Partial<Entry>): Entry => ({
  id: "1",
  at: "2026-03-04T05:06:07Z",
  actorID: "usr_1",
  actorName: "ada@example.org",
  address: "",
  action: "update",
  noun: "channel",
  nounID: "ch_1",
  nounName: "main",
  changes: {},
  ...part,
});

test("what a key grants is told field by field, and only what differs", () => {
  const before = { key_id: "", models: [], rates: { requests_per_minute: null, tokens_per_minute: 5 } };
  const after = { key_id: "key_1", models: ["gpt-5"], rates: { requests_per_minute: 60, tokens_per_minute: 5 } };
  expect(changesOf({ name: ["a", "b"], grant: [before, after] })).toEqual([
    { field: "name", old: "a", new: "b" },
    { field: "models", old: [], new: ["gpt-5"] },
    { field: "rates.requests_per_minute", old: null, new: 60 },
  ]);
});

test("of something new only what is set is told", () => {
  expect(changesOf({ name: [null, "a"], description: [null, ""], budgets: [null, { cost_per_day: null }] })).toEqual([
    { field: "name", old: null, new: "a" },
  ]);
});

test("where a thing is declared is not told, nor a part of it that says nothing", () => {
  expect(changesOf({ name: [null, "a"], is_declared: [null, false] })).toEqual([{ field: "name", old: null, new: "a" }]);
  expect(textOf("targets", [{ model: "m", condition: { keys: [], streams: null } }], SHOWS)).toBe("model = m");
});

test("a secret that was replaced by another is told, though both are hidden", () => {
  expect(changesOf({ password: ["***", "***"] })).toEqual([{ field: "password", old: "***", new: "***" }]);
});

test("so is one of a header that was replaced in a list of them", () => {
  const headers = [["x-team", "***"]];
  expect(changesOf({ headers: [headers, headers] })).toEqual([{ field: "headers", old: headers, new: headers }]);
});

test("what is no pair of values is left out, and breaks nothing", () => {
  expect([changesOf(null), changesOf("x"), changesOf({ odd: 3 })]).toEqual([[], [], []]);
});

test("values are told as people read them", () => {
  expect(textOf("project_id", "prj_1", SHOWS)).toBe("Paper");
  expect(textOf("budgets.cost_per_day", 2_500_000_000, SHOWS)).toBe("$2.50");
  expect(textOf("expires_at", 0, SHOWS)).toBe("1970-01-01T00:00:00.000Z");
  expect(textOf("weight", 2, SHOWS)).toBe("2");
  expect(textOf("tls_verify", false, SHOWS)).toBe("no");
  expect(textOf("headers", [["x-team", "***"]], SHOWS)).toBe("x-team = ***");
  expect(textOf("endpoints", [{ api: "responses", path: "", transport: "http" }], SHOWS)).toBe(
    "api = responses · transport = http",
  );
  expect(textOf("models", [], SHOWS)).toBe("");
});

test("nothing leads to what was deleted since", () => {
  const ended = endedOf([entry({ action: "delete" }), entry({ nounID: "ch_2" })]);
  expect([ended.has("ch_1"), ended.has("ch_2")]).toEqual([true, false]);
});

test("entries stand below their day", () => {
  const days = daysOf([entry({ id: "2", at: "2026-03-06T12:00:00Z" }), entry({ id: "1" }), entry({ id: "0" })]);
  expect(days.map((each) => each.entries.map((one) => one.id))).toEqual([["2"], ["1", "0"]]);
});
