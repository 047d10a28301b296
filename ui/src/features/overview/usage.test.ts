import { expect, test } from "vitest";
import { spanOf, starts } from "./range";
import { niceTop } from "./ChartFrame";
import { barsOf, joined, OTHERS, type Point, type Sums, tokensNotResent } from "./usage";

const sums = (turns: number): Sums => ({
  turns,
  continued: 0,
  failures: 0,
  inputTokens: 0,
  cachedTokens: 0,
  outputTokens: 0,
  costUsd: 0,
  bytesReceived: 0,
  bytesSent: 0,
  bytesSaved: 0, unpriced: 0,
});
const point = (start: number, name: string, turns: number): Point => ({ start: new Date(start).toISOString(), name, sums: sums(turns) });

test("a day has 24 bars of an hour, the last one under way", () => {
  const now = Date.parse("2026-01-02T10:20:00Z");
  const found = starts(spanOf("24h", now));
  expect(found).toHaveLength(24);
  expect(new Date(found.at(-1) ?? 0).toISOString()).toBe("2026-01-02T10:00:00.000Z");
});

test("the rest beyond five names is one part", () => {
  const points = ["a", "b", "c", "d", "e", "f", "g"].map((name, index) => point(0, name, 10 - index));
  const { bars, names } = barsOf(points, "turns", [0, 1]);
  expect(names).toEqual(["a", "b", "c", "d", "e", OTHERS]);
  expect(bars[0]?.parts.at(-1)?.value).toBe(9);
  expect(bars.map((bar) => bar.total)).toEqual([49, 0]);
});

test("bars that would be too narrow are joined, and nothing is lost", () => {
  const points = [0, 1, 2, 3, 4].map((start) => point(start, start % 2 === 0 ? "a" : "b", start + 1));
  const { bars } = barsOf(points, "turns", [0, 1, 2, 3, 4]);
  expect(joined(bars, 5)).toEqual({ bars, size: 1 });
  const narrow = joined(bars, 3);
  expect(narrow.size).toBe(2);
  expect(narrow.bars.map(({ start, total }) => [start, total])).toEqual([[0, 3], [2, 7], [4, 5]]);
  expect(narrow.bars[0]?.parts).toEqual([{ name: "a", value: 1 }, { name: "b", value: 2 }]);
});

test("an axis ends at a round figure", () => {
  expect([0, 1, 3, 11, 480].map(niceTop)).toEqual([2, 2, 5, 20, 500]);
});

test("tokens not resent are none where nothing came in", () => {
  expect(tokensNotResent(sums(1))).toBeNull();
  expect(tokensNotResent({ ...sums(1), inputTokens: 100, bytesReceived: 10, bytesSaved: 5 })).toBe(50);
});
