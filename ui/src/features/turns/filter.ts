/** The filters of the log between its address and the admin API. */
import { exhaustive } from "@/api/records";
import type { Texts } from "@/shared/i18n/texts";
import type { TurnFilter } from "./api";

export const FILTERS = ["channel", "key", "project", "model", "session", "trace", "request", "response", "continuity", "reason", "api", "upstream", "outcome", "error", "node", "failed", "since", "until", "text"] as const;

/** A turn that was not sent has none. */
type Continuity = Exclude<keyof Texts["app"]["continuity"], "">;
export const CONTINUITIES = exhaustive<Continuity>({ continued: true, fresh: true, "as-given": true });
export const OUTCOMES = exhaustive<keyof Texts["app"]["outcomes"]>({
  completed: true,
  incomplete: true,
  failed: true,
  cancelled: true,
  abandoned: true,
  refused: true,
  overloaded: true,
  upstream_error: true,
  internal_error: true,
});

type Search = Partial<Record<string, string>>;

const LENGTHS = { h: 3_600_000, d: 86_400_000 };
const RELATIVE = /^(\d{1,4})([hd])$/;

/** A time as an address has it: ISO 8601, or so long before now, as `1h` or `7d`. NaN for anything else. */
function timeOf(text: string | undefined, now: number): number {
  const [, length, unit] = RELATIVE.exec(text ?? "") ?? [];
  if (length !== undefined) return now - Number(length) * LENGTHS[unit as keyof typeof LENGTHS];
  return text === undefined ? Number.NaN : Date.parse(text);
}

/** A time that is none is left out: an address may hold anything. */
function time(text: string | undefined, now: number): string | null {
  const at = timeOf(text, now);
  return Number.isNaN(at) ? null : new Date(at).toISOString();
}

/** All of them but the connection, by which a live session alone finds its turns. */
export function filterOf(search: Search, now: number): Required<Omit<TurnFilter, "connection">> {
  return {
    channelID: search["channel"] ?? null,
    keyID: search["key"] ?? null,
    projectID: search["project"] ?? null,
    model: search["model"] ?? null,
    session: search["session"] ?? null,
    trace: search["trace"] ?? null,
    requestID: search["request"] ?? null,
    responseID: search["response"] ?? null,
    continuity: search["continuity"] ?? null,
    reason: search["reason"] ?? null,
    apiFormat: search["api"] ?? null,
    upstreamAPI: search["upstream"] ?? null,
    outcome: search["outcome"] ?? null,
    errorCode: search["error"] ?? null,
    node: search["node"] ?? null,
    failed: search["failed"] === "1",
    since: time(search["since"], now),
    until: time(search["until"], now),
  };
}

export function isFiltered(search: Search): boolean {
  return FILTERS.some((name) => (search[name] ?? "") !== "");
}
