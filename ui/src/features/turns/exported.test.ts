import { expect, test } from "vitest";
import { cell } from "./exported";
import { filterOf } from "./filter";

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

test("an address with anything in it makes a filter", () => {
  const filter = filterOf({ since: "yesterday", until: "2026-01-02T03:04:05Z", failed: "1", channel: "c" });
  expect(filter).toMatchObject({ since: null, until: "2026-01-02T03:04:05.000Z", failed: true, channelID: "c", keyID: null });
});
