/** Light, dark, or as the system is. */
import { useSyncExternalStore } from "react";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const KEY = "longwire-theme";
const isDark = matchMedia("(prefers-color-scheme: dark)");
const watchers = new Set<() => void>();

export function theme(): Theme {
  const kept = localStorage.getItem(KEY);
  return THEMES.find((each) => each === kept) ?? "system";
}

function apply(): void {
  const wanted = theme();
  document.documentElement.dataset["theme"] = wanted === "system" ? (isDark.matches ? "dark" : "light") : wanted;
  for (const watch of watchers) watch();
}

export function startTheme(): void {
  isDark.addEventListener("change", apply);
  apply();
}

export function setTheme(wanted: Theme): void {
  localStorage.setItem(KEY, wanted);
  apply();
}

export function useTheme(): Theme {
  return useSyncExternalStore((watch) => {
    watchers.add(watch);
    return () => watchers.delete(watch);
  }, theme);
}
