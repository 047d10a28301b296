/** The time for components that show how long something lasts. */
import { useEffect, useState, useSyncExternalStore } from "react";

const SECOND = 1_000;

/** Tells all who watch at once: a tick draws the page once, however many show the time. */
class Clock {
  private readonly watchers = new Set<() => void>();
  private timer = 0;
  private time = Date.now();

  constructor(private readonly every: number) {}

  readonly now = (): number => {
    // While nobody watches, it stands still.
    if (this.watchers.size === 0 && Math.abs(Date.now() - this.time) >= SECOND) this.time = Date.now();
    return this.time;
  };

  readonly watch = (watcher: () => void): (() => void) => {
    if (this.watchers.size === 0) this.timer = window.setInterval(this.tick, this.every);
    this.watchers.add(watcher);
    return () => {
      this.watchers.delete(watcher);
      if (this.watchers.size === 0) window.clearInterval(this.timer);
    };
  };

  private readonly tick = (): void => {
    if (document.hidden) return;
    this.time = Date.now();
    for (const watcher of this.watchers) watcher();
  };
}

const SECONDS = new Clock(SECOND);
const MINUTES = new Clock(60 * SECOND);

export const useNow = (clock = SECONDS): number => useSyncExternalStore(clock.watch, clock.now);
/** The time, told anew each minute only. */
export const useMinute = (): number => useNow(MINUTES);

/** A value once it has rested for a while. */
export function useSettled<T>(value: T, after = 250): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), after);
    return () => clearTimeout(timer);
  }, [value, after]);
  return settled;
}
