import { act, createElement } from "react";
import { createRoot } from "react-dom/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { useMinute, useNow } from "./clock";

vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

const told: Record<string, number[]> = {};

function Shown({ name, use }: { name: string; use: () => number }) {
  (told[name] ??= []).push(use());
  return null;
}

async function shown(shows: Record<string, () => number>): Promise<() => void> {
  const root = createRoot(document.createElement("div"));
  const names = Object.entries(shows).map(([name, use]) => createElement(Shown, { key: name, name, use }));
  await act(async () => root.render(names));
  return () => act(() => root.unmount());
}

const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

test("those who show the time share a timer, which ends with the last of them", async () => {
  const leave = await shown({ a: useNow, b: useNow, c: useNow });
  expect(vi.getTimerCount()).toBe(1);
  await pass(2_000);
  expect(told["a"]).toEqual([1_000_000, 1_001_000, 1_002_000]);
  expect(told["b"]).toEqual(told["a"]);
  leave();
  expect(vi.getTimerCount()).toBe(0);
});

test("who comes after a while of nobody is told the time of now", async () => {
  (await shown({ early: useNow }))();
  vi.setSystemTime(5_000_000);
  const leave = await shown({ late: useNow });
  expect(told["late"]).toEqual([5_000_000]);
  leave();
});

test("minutes are told by the minute, and not while the page is hidden", async () => {
  const leave = await shown({ minute: useMinute });
  await pass(59_000);
  expect(told["minute"]).toHaveLength(1);
  const hidden = vi.spyOn(document, "hidden", "get").mockReturnValue(true);
  await pass(60_000);
  expect(told["minute"]).toHaveLength(1);
  hidden.mockReturnValue(false);
  await pass(60_000);
  expect(told["minute"]).toHaveLength(2);
  leave();
});
