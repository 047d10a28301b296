/** Short messages at the page's edge; one may carry an action, as to undo. */
import { useSyncExternalStore } from "react";

export interface Toast {
  id: number;
  text: string;
  kind: "good" | "bad";
  action?: { label: string; run: () => void } | undefined;
}

const LASTS = 6_000;
let toasts: readonly Toast[] = [];
let next = 1;
const watchers = new Set<() => void>();

function become(changed: readonly Toast[]): void {
  toasts = changed;
  for (const watch of watchers) watch();
}

export function dismiss(id: number): void {
  become(toasts.filter((each) => each.id !== id));
}

export function tell(text: string, options: { kind?: Toast["kind"]; action?: Toast["action"] } = {}): void {
  const toast: Toast = { id: next++, text, kind: options.kind ?? "good", action: options.action };
  become([...toasts.slice(-3), toast]);
  setTimeout(() => dismiss(toast.id), toast.kind === "bad" || toast.action ? LASTS * 2 : LASTS);
}

export function useToasts(): readonly Toast[] {
  return useSyncExternalStore(
    (watch) => {
      watchers.add(watch);
      return () => watchers.delete(watch);
    },
    () => toasts,
  );
}
