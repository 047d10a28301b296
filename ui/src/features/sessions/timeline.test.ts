import { expect, test } from "vitest";
import type { RunTurn } from "./runs";
import { type Bar, shortened, timelineOf } from "./timeline";

const turn = (id: string, at: number, totalMs: number, session = "main", firstEventMs: number | null = 100) =>
  ({ id, session, totalMs, firstEventMs, startedAt: new Date(at).toISOString() }) as RunTurn;
const bars = (turns: RunTurn[]) => timelineOf(turns).rows.filter((row): row is Bar => row.kind === "turn");

test("turns stand in the order they began, whatever order they came in", () => {
  expect(timelineOf([turn("b", 2_000, 500), turn("a", 0, 900)]).rows.map((row) => row.id)).toEqual(["a", "b"]);
});

test("each session has a lane, in the order they came", () => {
  const { lanes, rows } = timelineOf([turn("a", 0, 900), turn("b", 100, 500, "main/a1"), turn("c", 1_000, 9)]);
  expect(lanes).toEqual(["main", "main/a1"]);
  expect(rows.map((row) => row.kind === "turn" && row.lane)).toEqual([0, 1, 0]);
});

test("bars lie where their turns were, those of sub-agents beside each other", () => {
  expect(bars([turn("a", 0, 1_000), turn("b", 500, 500, "x", null)]).map(({ start, first, end }) => [start, first, end])).toEqual([
    [0, 0.1, 1],
    [0.5, 1, 1],
  ]);
});

test("a pause is said, and takes but a fiftieth of the line", () => {
  const { rows, ms } = timelineOf([turn("a", 0, 1_000), turn("b", 3_601_000, 1_000)]);
  expect(rows.map((row) => (row.kind === "pause" ? row.ms : row.id))).toEqual(["a", 3_600_000, "b"]);
  expect(ms).toBe(3_602_000);
  const [first, second] = bars([turn("a", 0, 1_000), turn("b", 3_601_000, 1_000)]);
  expect((second?.start ?? 0) - (first?.end ?? 0)).toBeCloseTo(40 / 2_040);
  expect(second?.end).toBeCloseTo(1);
});

test("a turn that outlasts others leaves no pause behind them", () => {
  expect(timelineOf([turn("a", 0, 60_000), turn("b", 100, 10), turn("c", 30_000, 10)]).rows.map((row) => row.kind)).toEqual(["turn", "turn", "turn"]);
});

test("no turn is no line, and a turn of no time has a place on it", () => {
  expect(timelineOf([])).toEqual({ rows: [], lanes: [], ms: 0 });
  expect(bars([turn("a", 5, 0)]).every((bar) => bar.start >= 0 && bar.end <= 1)).toBe(true);
});

test("of a long name both ends are shown: a sub-agent's is its session's but for the last letters", () => {
  expect(shortened("main")).toBe("main");
  expect(shortened("0198c9f4-7e5a-7cc3-98c4-dc0c0c07398f/a1")).toBe("0198c9f4…0c0c07398f/a1");
});
