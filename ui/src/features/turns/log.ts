/**
 * The turn log as it is read: pages behind their cursors, of which those around the reader hold their rows.
 *
 * A page that was left long ago gives its rows up and is asked for again, by its cursor, when the reader returns.
 * Turns that end meanwhile wait aside: what is read does not move until they are wanted.
 */
import type { Rows } from "@/shared/VirtualTable";

export interface Entry {
  id: string;
}

export interface Part<Row> {
  nodes: readonly Row[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

export type Fetch<Row> = (after: string | null) => Promise<Part<Row>>;

export interface View<Row> extends Rows<Row> {
  /** Grows with each time the log is begun anew: then it is read from the top. */
  beginning: number;
  /** Whether there is nothing behind the last row. */
  isWhole: boolean;
  isLoading: boolean;
  failure: unknown;
  /** Turns that ended since, and wait to be shown. */
  newer: number;
}

interface Page<Row> {
  after: string | null;
  rows: readonly Row[] | undefined;
  count: number;
}

/** Pages that hold their rows: 20,000 rows with pages of 200. */
const MOST_HELD = 100;
/** More than these are not kept aside: then the log is begun anew. */
const MOST_NEWER = 1_000;
const AHEAD = 1;

/** Ids are numbers too long for a number: the longer is the greater, else the letters tell. */
export function isNewer(id: string, than: string): boolean {
  return id.length === than.length ? id > than : id.length > than.length;
}

const newestFirst = (a: Entry, b: Entry) => (a.id === b.id ? 0 : isNewer(a.id, b.id) ? -1 : 1);

export class TurnLog<Row extends Entry> {
  private pages: Page<Row>[] = [];
  private head: readonly Row[] = [];
  private aside: Row[] = [];
  private missed = 0;
  private next: string | null | undefined = null;
  private failure: unknown;
  private beginning = 0;
  /** Answers of before the log was begun anew are dropped. */
  private era = 0;
  private seen = { first: 0, last: 0 };
  private readonly asked = new Set<number>();
  private readonly watchers = new Set<() => void>();
  private shown: View<Row>;

  constructor(
    private readonly fetch: Fetch<Row>,
    private readonly size: number,
    private readonly most = MOST_HELD,
  ) {
    this.shown = this.seenFrom();
  }

  readonly watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  readonly view = (): View<Row> => this.shown;

  /** Tells which rows are in sight; those and the ones around them are brought. */
  readonly see = (first: number, last: number): void => {
    this.seen = { first, last };
    const from = Math.max(0, this.pageOf(first) - AHEAD);
    const to = this.pageOf(last) + AHEAD;
    for (let page = from; page <= to; page += 1) void this.bring(page);
  };

  readonly retry = (): void => {
    this.failure = undefined;
    this.see(this.seen.first, this.seen.last);
    this.become();
  };

  /** A turn that ended; it waits aside. */
  readonly add = (row: Row): void => {
    if (this.pages.length === 0 || this.isKnown(row)) return;
    if (this.aside.length >= MOST_NEWER) this.missed += 1;
    else this.aside.push(row);
    this.tell();
  };

  /** Looks for turns that nobody told of, as those of a node that could not be asked. */
  readonly catchUp = async (): Promise<void> => {
    if (this.pages.length === 0) return;
    const era = this.era;
    const part = await this.fetch(null).catch(() => undefined);
    if (part === undefined || era !== this.era) return;
    const unknown = part.nodes.filter((row) => this.isUnseen(row) && !this.isKnown(row));
    if (unknown.length === 0) return;
    this.aside.push(...unknown);
    // A whole page of unknown ones: there may be more between them and what is shown.
    if (unknown.length === this.size) this.missed += 1;
    this.tell();
  };

  /** Shows the turns that waited, from the top. */
  readonly showNewer = (): void => {
    if (this.missed > 0) return this.begin();
    this.head = [...this.aside, ...this.head].sort(newestFirst);
    this.aside = [];
    this.beginning += 1;
    this.become();
  };

  private readonly begin = (): void => {
    this.pages = [];
    this.head = [];
    this.aside = [];
    this.missed = 0;
    this.next = null;
    this.asked.clear();
    this.failure = undefined;
    this.era += 1;
    this.beginning += 1;
    this.become();
    this.see(0, 0);
  };

  /** Where nothing is read yet, nothing can move: then what is new shows at once. */
  private tell(): void {
    if (this.shown.length === 0) this.showNewer();
    else this.become();
  }

  private isUnseen(row: Row): boolean {
    const newest = this.head[0] ?? this.pages[0]?.rows?.[0];
    return newest === undefined || isNewer(row.id, newest.id);
  }

  private isKnown(row: Row): boolean {
    const isIt = (each: Row) => each.id === row.id;
    return this.aside.some(isIt) || this.head.some(isIt) || (this.pages[0]?.rows?.some(isIt) ?? false);
  }

  private pageOf(index: number): number {
    return Math.floor(Math.max(0, index - this.head.length) / this.size);
  }

  private async bring(number: number): Promise<void> {
    const page = this.pages[number];
    if (page?.rows !== undefined || this.asked.has(number) || this.failure !== undefined) return;
    const after = page === undefined ? this.next : page.after;
    // Behind the known ones a page has a cursor only when the one before it is there.
    if (after === undefined || number > this.pages.length) return;
    const era = this.era;
    this.asked.add(number);
    this.become();
    const told = await this.fetch(after).catch((error: unknown) => ({ error }));
    if (era !== this.era) return;
    this.asked.delete(number);
    if ("error" in told) this.failure = told.error;
    else this.hold(number, after, told);
    this.become();
  }

  private hold(number: number, after: string | null, part: Part<Row>): void {
    if (number > this.pages.length) return;
    this.pages[number] = { after, rows: part.nodes, count: part.nodes.length };
    if (!part.pageInfo.hasNextPage) {
      this.pages.length = number + 1;
      this.next = undefined;
    } else if (number === this.pages.length - 1) {
      this.next = part.pageInfo.endCursor ?? undefined;
    }
    this.giveUp();
    this.see(this.seen.first, this.seen.last);
  }

  /** Lets the rows go that are furthest from the reader; the first page stays, it tells what is new. */
  private giveUp(): void {
    const middle = this.pageOf((this.seen.first + this.seen.last) / 2);
    const held = this.pages.flatMap((page, number) => (number > 0 && page.rows !== undefined ? [number] : []));
    held.sort((a, b) => Math.abs(b - middle) - Math.abs(a - middle));
    for (const number of held.slice(0, Math.max(0, held.length - this.most))) {
      const page = this.pages[number];
      if (page !== undefined) page.rows = undefined;
    }
  }

  private seenFrom(): View<Row> {
    const { pages, head, size } = this;
    const last = pages.at(-1);
    const length = head.length + (last === undefined ? 0 : (pages.length - 1) * size + last.count);
    return {
      length,
      at: (index) => {
        if (index < head.length) return head[index];
        const place = index - head.length;
        return pages[Math.floor(place / size)]?.rows?.[place % size];
      },
      beginning: this.beginning,
      isWhole: this.next === undefined,
      isLoading: this.asked.size > 0,
      failure: this.failure,
      newer: this.aside.length + this.missed,
    };
  }

  private become(): void {
    this.shown = this.seenFrom();
    for (const watch of this.watchers) watch();
  }
}
