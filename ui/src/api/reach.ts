/** Whether the gateway answers, as every request found it: in time, slowly, or not at all. */
import { useSyncExternalStore } from "react";
import { urlOf } from "./place";

export type Reach = "fine" | "slow" | "gone";

const SLOW_AFTER = 2_500;
const LOOKS_EVERY = 1_500;
let slow = 0;
let isGone = false;
let looking: ReturnType<typeof setInterval> | undefined;
const watchers = new Set<() => void>();
const returns = new Set<() => void>();

function told(): void {
  for (const watch of watchers) watch();
}

/** Call it when a request begins; call what it returns when that is over. */
export function asked(): () => void {
  let isSlow = false;
  const timer = setTimeout(() => {
    isSlow = true;
    slow += 1;
    told();
  }, SLOW_AFTER);
  return () => {
    clearTimeout(timer);
    if (!isSlow) return;
    slow -= 1;
    told();
  };
}

/** The gateway did not answer: it is looked for until it does. */
export function gone(): void {
  if (isGone) return;
  isGone = true;
  told();
  looking = setInterval(() => void look(), LOOKS_EVERY);
}

export function here(): void {
  if (!isGone) return;
  isGone = false;
  clearInterval(looking);
  told();
  for (const each of returns) each();
}

async function look(): Promise<void> {
  try {
    const response = await fetch(urlOf("ready"), { cache: "no-store" });
    if (response.ok) here();
  } catch {
    // Not yet.
  }
}

/** Calls when the gateway is there again. */
export function onReturn(listener: () => void): () => void {
  returns.add(listener);
  return () => returns.delete(listener);
}

export function useReach(): Reach {
  return useSyncExternalStore(
    (watch) => {
      watchers.add(watch);
      return () => watchers.delete(watch);
    },
    () => (isGone ? "gone" : slow > 0 ? "slow" : "fine"),
  );
}
