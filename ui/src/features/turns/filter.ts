/** The filters of the log between its address and the admin API. */
import type { TurnFilter } from "./api";

export const FILTERS = ["channel", "key", "project", "model", "session", "continuity", "outcome", "error", "failed", "since", "until"] as const;
export type FilterName = (typeof FILTERS)[number];

export const CONTINUITIES = ["continued", "fresh", "as-given"] as const;
export const OUTCOMES = [
  "completed",
  "incomplete",
  "failed",
  "cancelled",
  "abandoned",
  "refused",
  "overloaded",
  "upstream_error",
  "internal_error",
] as const;

type Search = Partial<Record<string, string>>;

/** A time that is none is left out: an address may hold anything. */
function time(text: string | undefined): string | null {
  const at = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(at) ? null : new Date(at).toISOString();
}

export function filterOf(search: Search): TurnFilter {
  return {
    channelID: search["channel"] ?? null,
    keyID: search["key"] ?? null,
    projectID: search["project"] ?? null,
    model: search["model"] ?? null,
    session: search["session"] ?? null,
    continuity: search["continuity"] ?? null,
    outcome: search["outcome"] ?? null,
    errorCode: search["error"] ?? null,
    failed: search["failed"] === "1",
    since: time(search["since"]),
    until: time(search["until"]),
  };
}

export function isFiltered(search: Search): boolean {
  return FILTERS.some((name) => (search[name] ?? "") !== "");
}
