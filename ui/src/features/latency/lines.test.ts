import { expect, test } from "vitest";
import { change, linesOf, runsOf } from "./lines";

const at = (hour: number) => new Date(hour * 3_600_000).toISOString();
const point = (hour: number, name: string, turns: number, p50: number) => ({
  start: at(hour),
  name,
  distribution: { turns, p50, p95: p50 * 2, p99: p50 * 3 },
});

test("each name has its line, the busiest first, with gaps where no turn was", () => {
  const points = [point(0, "rare", 1, 5), point(0, "busy", 9, 7), point(2, "busy", 9, 8)];
  const starts = [0, 1, 2].map((hour) => hour * 3_600_000);
  expect(linesOf(points, "p95", starts)).toEqual([
    { name: "busy", values: [14, null, 16] },
    { name: "rare", values: [10, null, null] },
  ]);
});

test("a line is drawn between neighbours alone", () => {
  expect(runsOf([null, 1, 2, null, 3])).toEqual([[[1, 1], [2, 2]], [[4, 3]]]);
});

test("a change is known where both sides are", () => {
  expect([change(3, 2), change(null, 2), change(3, null), change(3, 0)]).toEqual([0.5, null, null, null]);
});
