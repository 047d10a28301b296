/** How turns went as shares of those that were sent: the continued ones first, then why the rest were not. */
import { type Bar, barsOf, type Point, sumsByName } from "./usage";

export const CONTINUED = "continued";
const MOST_REASONS = 4;

/** Turns that were sent upstream: the others are no part of any share. */
const sent = (points: readonly Point[]) => points.filter((each) => each.name !== "");

/** Bars of shares that add up to 1, or to 0 where nothing was sent. */
export function sharesOf(points: readonly Point[], starts: readonly number[]): { bars: Bar[]; names: string[] } {
  const those = sent(points);
  const continued = barsOf(those.filter((each) => each.name === CONTINUED), "turns", starts).bars;
  const rest = barsOf(those.filter((each) => each.name !== CONTINUED), "turns", starts, MOST_REASONS);
  const bars = rest.bars.map(({ start, parts, total }, index) => {
    const own = continued[index]?.total ?? 0;
    const all = own + total;
    const share = (value: number) => (all === 0 ? 0 : value / all);
    const shares = [{ name: CONTINUED, value: own }, ...parts].map((part) => ({ ...part, value: share(part.value) }));
    return { start, parts: shares, total: all === 0 ? 0 : 1 };
  });
  return { bars, names: [CONTINUED, ...rest.names] };
}

export interface ReasonRow {
  name: string;
  turns: number;
  share: number;
  bytesSent: number;
}

/** What each reason came to over the whole time, the most frequent first. */
export function reasonRows(points: readonly Point[]): ReasonRow[] {
  const rows = sumsByName(sent(points));
  const all = rows.reduce((sum, row) => sum + row.sums.turns, 0);
  return rows.map(({ name, sums }) => ({ name, turns: sums.turns, share: sums.turns / all, bytesSent: sums.bytesSent }));
}

