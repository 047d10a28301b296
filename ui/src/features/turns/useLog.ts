/** The log of a filter, kept up with what ends. */
import { useEffect, useMemo, useSyncExternalStore } from "react";
import { useSubscription, useWire } from "@/api/live";
import { onReturn } from "@/api/reach";
import { ADDED, fetchRows, PAGE_SIZE, type TurnFilter } from "./api";
import type { Row } from "./columns";
import { TurnLog } from "./log";

/** The feed tells of all nodes while they can be asked; what it missed is looked for. */
const LOOKS_EVERY = 15_000;
/** The gateway writes turns together, a second after the first of them. */
const WRITTEN_WITHIN = 1_500;

/** `key` is the filter as JSON: what stays equal is read no second time. */
export function useLog(key: string) {
  const filter = useMemo(() => JSON.parse(key) as TurnFilter, [key]);
  const log = useMemo(() => new TurnLog<Row>((after) => fetchRows(filter, after), PAGE_SIZE), [filter]);
  const view = useSyncExternalStore(log.watch, log.view);
  const wire = useWire();
  useSubscription(ADDED, { filter }, ({ turnAdded }) => log.add(turnAdded));
  useEffect(() => log.see(0, 0), [log]);
  useEffect(() => {
    if (wire !== "open") return undefined;
    void log.catchUp();
    // What ended just before the feed began is not in it, and may not be written yet.
    const timer = setTimeout(() => void log.catchUp(), WRITTEN_WITHIN);
    return () => clearTimeout(timer);
  }, [wire, log]);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) void log.catchUp();
    }, LOOKS_EVERY);
    const forget = onReturn(() => {
      log.retry();
      void log.catchUp();
    });
    return () => {
      clearInterval(timer);
      forget();
    };
  }, [log]);
  return { filter, log, view };
}
