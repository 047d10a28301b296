/** What the overview asks, and its points as bars. */
import { type EnumOf, graphql, type ResultOf } from "@/api/graphql";
import { exhaustive } from "@/api/records";

export const USAGE = graphql(`
  query Overview($since: DateTime!, $until: DateTime!, $span: UsageSpan!, $by: UsageBy!, $filter: UsageFilter) {
    usage(since: $since, until: $until, span: $span, by: $by, filter: $filter) {
      series { start name sums { ...Sums } }
      totals { ...Sums }
      savedUsd
      firstEvent { p50 p95 turns }
    }
    reasons: usage(since: $since, until: $until, span: $span, by: REASON, filter: $filter) {
      series { start name sums { ...Sums } }
    }
  }
  fragment Sums on UsageSums {
    turns continued failures inputTokens cachedTokens outputTokens costUsd bytesReceived bytesSent bytesSaved unpriced
  }
`);

export type Usage = ResultOf<typeof USAGE>["usage"];
export type Point = Usage["series"][number];
export type Sums = Usage["totals"];

export const METRICS = ["turns", "continued", "bytesSaved", "inputTokens", "cachedTokens", "costUsd", "failures"] as const;
export type Metric = (typeof METRICS)[number];

export type By = EnumOf<"UsageBy">;
export const BYS = exhaustive<By>({ ALL: true, CHANNEL: true, MODEL: true, KEY: true, USER: true, API: true, PROJECT: true, REASON: true });

/** So many lines have a colour of their own; the rest is one. */
const MOST_NAMES = 5;
export const OTHERS = "\u0000others";

export interface Bar {
  start: number;
  parts: { name: string; value: number }[];
  total: number;
}

/** The names by what they come to, the greatest first. */
function ranked(points: readonly Point[], metric: Metric): { name: string; value: number }[] {
  const sums = new Map<string, number>();
  for (const point of points) sums.set(point.name, (sums.get(point.name) ?? 0) + point.sums[metric]);
  return [...sums].map(([name, value]) => ({ name, value })).sort((a, b) => b.value - a.value);
}

/** One bar for each beginning, of the same names in the same order. */
export function barsOf(
  points: readonly Point[],
  metric: Metric,
  starts: readonly number[],
  most = MOST_NAMES,
): { bars: Bar[]; names: string[] } {
  const all = ranked(points, metric).map((each) => each.name);
  const names = all.length > most ? [...all.slice(0, most), OTHERS] : all;
  const known = new Set(names);
  const values = new Map<string, number>();
  for (const point of points) {
    const key = `${Date.parse(point.start)} ${known.has(point.name) ? point.name : OTHERS}`;
    values.set(key, (values.get(key) ?? 0) + point.sums[metric]);
  }
  const bars = starts.map((start) => {
    const parts = names.map((name) => ({ name, value: values.get(`${start} ${name}`) ?? 0 }));
    return { start, parts, total: parts.reduce((sum, part) => sum + part.value, 0) };
  });
  return { bars, names };
}

/** So many bars at most: where there are more, as many as it takes stand together; `size` is how many. */
export function joined(bars: readonly Bar[], most: number): { bars: readonly Bar[]; size: number } {
  const size = Math.max(1, Math.ceil(bars.length / Math.max(1, most)));
  if (size === 1) return { bars, size };
  const groups = Array.from({ length: Math.ceil(bars.length / size) }, (_, index) => bars.slice(index * size, (index + 1) * size));
  return { bars: groups.map((group) => group.reduce(together)), size };
}

function together(a: Bar, b: Bar): Bar {
  const parts = a.parts.map(({ name, value }, index) => ({ name, value: value + (b.parts[index]?.value ?? 0) }));
  return { start: a.start, parts, total: a.total + b.total };
}

/** Sums of a name over the whole time. */
export function sumsByName(points: readonly Point[]): { name: string; sums: Sums }[] {
  const found = new Map<string, Sums>();
  for (const { name, sums } of points) {
    const before = found.get(name);
    found.set(name, before === undefined ? { ...sums } : added(before, sums));
  }
  return [...found].map(([name, sums]) => ({ name, sums })).sort((a, b) => b.sums.turns - a.sums.turns);
}

function added(a: Sums, b: Sums): Sums {
  const names = Object.keys(a) as (keyof Sums)[];
  return Object.fromEntries(names.map((name) => [name, a[name] + b[name]])) as Sums;
}

/** Tokens of input that were not sent again, by the share of bytes that were not. */
export function tokensNotResent(sums: Sums): number | null {
  return sums.bytesReceived > 0 ? Math.round((sums.inputTokens * sums.bytesSaved) / sums.bytesReceived) : null;
}
