/** The times that the overview looks at. */
import type { EnumOf } from "@/api/graphql";

export const RANGES = ["24h", "7d", "30d", "90d"] as const;
export type Range = (typeof RANGES)[number];

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const LENGTHS: Record<Range, number> = { "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY, "90d": 90 * DAY };

export interface Span {
  since: string;
  until: string;
  span: EnumOf<"UsageSpan">;
  /** Length of one bar in ms. */
  step: number;
}

export function rangeOf(text: string | undefined): Range {
  return RANGES.find((each) => each === text) ?? "24h";
}

/** Whole bars up to the one that is under way. */
export function spanOf(range: Range, now: number): Span {
  const step = range === "24h" || range === "7d" ? HOUR : DAY;
  const end = Math.floor(now / step) * step + step;
  return {
    since: new Date(end - LENGTHS[range]).toISOString(),
    until: new Date(end).toISOString(),
    span: step === HOUR ? "HOUR" : "DAY",
    step,
  };
}

/** Every bar's beginning, in ms since 1970 UTC. */
export function starts(span: Span): number[] {
  const first = Date.parse(span.since);
  const count = Math.round((Date.parse(span.until) - first) / span.step);
  return Array.from({ length: count }, (_, index) => first + index * span.step);
}
