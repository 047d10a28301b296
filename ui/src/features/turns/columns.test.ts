// @vitest-environment node
import { expect, test } from "vitest";
import { createFormat } from "@/shared/format";
import { COLUMNS, detailed, EXPORTED, LISTED, ROW_FIELDS, textOf, TURN_FIELDS } from "./columns";

const format = createFormat("en");

test("an export has every column once, the id first; a turn is asked for all of them", () => {
  expect(EXPORTED[0]).toBe("id");
  expect([...EXPORTED].sort()).toEqual(Object.keys(COLUMNS).sort());
  expect([...TURN_FIELDS, "details"]).toEqual(EXPORTED);
});

test("the list and the detail show their columns in the order of the table", () => {
  expect(LISTED.slice(0, 4)).toEqual(["startedAt", "reason", "modelAsked", "channelName"]);
  expect(detailed("figures").slice(0, 3)).toEqual(["bytesReceived", "bytesSent", "inputTokens"]);
  expect(detailed("whose").at(-1)).toBe("id");
});

test("a row of the list holds no more than its cells read", () => {
  expect(ROW_FIELDS).not.toContain("session");
  expect(ROW_FIELDS).toEqual(expect.arrayContaining(["id", "bytesSent", "cachedTokens", "node"]));
});

test("a column is written as it is, in its own way, or as a dash", () => {
  const turn = { status: 200, bytesSent: 1_500, costUsd: null, session: "", inputTokens: 12_345, connection: 7 };
  const texts = (Object.keys(turn) as (keyof typeof turn)[]).map((name) => textOf(name, turn, format));
  expect(texts).toEqual(["200", "1.5 kB", "–", "–", "12,345", "#7"]);
});
