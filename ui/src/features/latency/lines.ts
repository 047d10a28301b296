/** Percentiles over time as lines of a chart. */
import type { Point } from "./api";

export const SHARES = ["p50", "p95", "p99"] as const;
export type Share = (typeof SHARES)[number];

/** So many names have a line each. */
const MOST_NAMES = 5;

export interface ChartLine {
  name: string;
  /** One for each beginning; null where no turn was. */
  values: (number | null)[];
}

/** A line for each name, the busiest first. */
export function linesOf(points: readonly Point[], share: Share, starts: readonly number[]): ChartLine[] {
  const turns = new Map<string, number>();
  const values = new Map<string, number | null>();
  for (const { name, start, distribution } of points) {
    turns.set(name, (turns.get(name) ?? 0) + distribution.turns);
    values.set(`${Date.parse(start)} ${name}`, distribution[share]);
  }
  const names = [...turns].sort((a, b) => b[1] - a[1]).slice(0, MOST_NAMES);
  return names.map(([name]) => ({ name, values: starts.map((start) => values.get(`${start} ${name}`) ?? null) }));
}

/** Runs of neighbours that have a value, as [index, value]: a line is drawn within one, not across a gap. */
export function runsOf(values: readonly (number | null)[]): [number, number][][] {
  const runs: [number, number][][] = [];
  values.forEach((value, index) => {
    if (value === null) return;
    const last = runs.at(-1);
    if (last?.at(-1)?.[0] === index - 1) last.push([index, value]);
    else runs.push([[index, value]]);
  });
  return runs;
}

/** How much more or less than before, as a share; null where either is unknown. */
export function change(now: number | null, before: number | null): number | null {
  return now === null || before === null || before === 0 ? null : now / before - 1;
}
