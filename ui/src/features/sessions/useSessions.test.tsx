import { act, createElement } from "react";
import { createRoot } from "react-dom/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { useSessions } from "./live";

type Tell = (value: { sessionChanges: { isWhole: boolean; changed: object[]; gone: string[]; missingNodes: string[] } }) => void;

const subscribed = vi.hoisted(() => ({ tell: (() => undefined) as (value: unknown) => void }));
vi.mock("@/api/live", () => ({
  useSubscription: (_query: unknown, _variables: unknown, tell: (value: unknown) => void) => {
    subscribed.tell = tell;
  },
}));
vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

const tell: Tell = (value) => subscribed.tell(value);
const changed = (connection: number, turns: number) =>
  tell({ sessionChanges: { isWhole: false, changed: [{ id: `lw-0/${connection}`, turns, age: 1 }], gone: [], missingNodes: [] } });

test("a whole list is drawn at once; changes that follow fast are drawn together, none is lost", async () => {
  const drawn: number[][] = [];
  function Shown() {
    drawn.push([...(useSessions().sessions?.values() ?? [])].map((each) => each.turns));
    return null;
  }
  const root = createRoot(document.createElement("div"));
  await act(async () => root.render(createElement(Shown)));
  act(() => tell({ sessionChanges: { isWhole: true, changed: [{ id: "lw-0/1", turns: 1, age: 1 }], gone: [], missingNodes: [] } }));
  expect(drawn.at(-1)).toEqual([1]);
  for (let turns = 2; turns <= 5; turns += 1) act(() => changed(1, turns));
  act(() => changed(2, 7));
  expect(drawn.at(-1)).toEqual([1]);
  await act(() => vi.advanceTimersByTimeAsync(100));
  expect(new Set(drawn.map(String))).toEqual(new Set(["", "1", "5,7"]));
  act(() => changed(2, 8));
  await act(() => vi.advanceTimersByTimeAsync(100));
  expect(drawn.at(-1)).toEqual([5, 8]);
  act(() => root.unmount());
  expect(vi.getTimerCount()).toBe(0);
});

test("a node that did not answer is named until it answers, and what others have stays", async () => {
  const seen: [readonly string[], number][] = [];
  function Shown() {
    const { sessions, missing } = useSessions();
    seen.push([missing, sessions?.size ?? 0]);
    return null;
  }
  const root = createRoot(document.createElement("div"));
  await act(async () => root.render(createElement(Shown)));
  const said = (missingNodes: string[], gone: string[] = []) =>
    act(async () => {
      tell({ sessionChanges: { isWhole: false, changed: [], gone, missingNodes } });
      await vi.advanceTimersByTimeAsync(100);
    });
  const changed = ["lw-0/1", "lw-1/1"].map((id) => ({ id, turns: 1, age: 1 }));
  act(() => tell({ sessionChanges: { isWhole: true, changed, gone: [], missingNodes: [] } }));
  expect(seen.at(-1)).toEqual([[], 2]);
  await said(["lw-1"], ["lw-1/1"]);
  expect(seen.at(-1)).toEqual([["lw-1"], 1]);
  await said([]);
  expect(seen.at(-1)).toEqual([[], 1]);
  act(() => root.unmount());
});
