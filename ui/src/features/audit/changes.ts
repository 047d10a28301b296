/** An entry's changes, field by field, as people read them. */
import { exhaustive } from "@/api/records";
import type { Texts } from "@/shared/i18n/texts";
import type { Entry } from "./api";

export interface Change {
  /** As `rates.requests_per_minute`. */
  field: string;
  old: unknown;
  new: unknown;
}

/** The kinds of things that can be chosen, as the API names them. */
export const NOUNS = exhaustive<keyof Texts["audit"]["kinds"]>({
  channel: true,
  model: true,
  account: true,
  "api-key": true,
  project: true,
  user: true,
  invitation: true,
  settings: true,
  "alert-rule": true,
  "alert-destination": true,
  budget: true,
});

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function isNothing(value: unknown): boolean {
  return value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
}

/** Of a key, which its entry names already; what the file declares is not changed here. */
const NEVER_TOLD = new Set(["key_id", "is_declared"]);

/** The fields that differ; what a key grants is told as if it were the key's own. */
export function changesOf(told: unknown): Change[] {
  if (!isRecord(told)) return [];
  return Object.entries(told).flatMap(([name, pair]) =>
    Array.isArray(pair) && !NEVER_TOLD.has(name) ? flat(name === "grant" ? "" : name, pair[0], pair[1]) : [],
  );
}

function flat(field: string, before: unknown, after: unknown): Change[] {
  if (!isRecord(before) && !isRecord(after)) {
    const isSame = JSON.stringify(before) === JSON.stringify(after) && !hasSecret(before);
    return isSame || (isNothing(before) && isNothing(after)) ? [] : [{ field, old: before, new: after }];
  }
  const [left, right] = [isRecord(before) ? before : {}, isRecord(after) ? after : {}];
  const names = [...new Set([...Object.keys(left), ...Object.keys(right)])].filter((name) => !NEVER_TOLD.has(name));
  return names.flatMap((name) =>
    flat(field === "" ? name : `${field}.${name}`, left[name], right[name]),
  );
}

/** Two that are hidden may differ, also in a list, as headers are. */
const hasSecret = (value: unknown) => JSON.stringify(value ?? null).includes('"***"');

export interface Shows {
  name: (id: string) => string;
  word: (field: string, value: string) => string;
  yesNo: (value: boolean) => string;
  number: (value: number) => string;
  money: (value: number) => string;
  time: (at: string) => string;
}

/** A value as a text; "" for nothing. */
export function textOf(field: string, value: unknown, shows: Shows): string {
  if (isNothing(value)) return "";
  if (typeof value === "boolean") return shows.yesNo(value);
  if (typeof value === "number") return numberOf(field, value, shows);
  if (typeof value === "string") return shows.word(field, shows.name(value));
  if (Array.isArray(value)) return value.map((each) => itemOf(field, each, shows)).join(", ");
  return Object.entries(value as object)
    .map(([name, each]) => [name, textOf(name, each, shows)])
    .filter(([, text]) => text !== "")
    .map(([name, text]) => `${name} = ${text}`)
    .join(" · ");
}

/** Pairs are names and what they stand for: headers, and models that are sent by another name. */
function itemOf(field: string, item: unknown, shows: Shows): string {
  if (Array.isArray(item)) return item.map((each) => textOf(field, each, shows)).join(" = ");
  return textOf(field, item, shows);
}

const BILLIONTH = 1e-9;

function numberOf(field: string, value: number, shows: Shows): string {
  if (/_(at|until)$/.test(field)) return shows.time(new Date(value).toISOString());
  if (/(^|\.)cost_/.test(field)) return shows.money(value * BILLIONTH);
  return shows.number(value);
}

/** Ids of things that some later entry ended: there is nothing to go to. */
export function endedOf(entries: readonly Entry[]): ReadonlySet<string> {
  return new Set(entries.filter((each) => each.action === "delete").map((each) => each.nounID));
}

/** Entries by day of this browser's time zone, in their order. */
export function daysOf(entries: readonly Entry[]): { day: string; entries: Entry[] }[] {
  const days: { day: string; entries: Entry[] }[] = [];
  for (const entry of entries) {
    const day = new Date(entry.at).toDateString();
    const last = days.at(-1);
    if (last?.day === day) last.entries.push(entry);
    else days.push({ day, entries: [entry] });
  }
  return days;
}
