/** A key as it is being written. */
import type { Key, KeyInput } from "./api";

export const RATES = ["requestsPerMinute", "tokensPerMinute", "concurrentTurns"] as const;
export const BUDGETS = ["tokensPerDay", "tokensPerMonth", "costPerDay", "costPerMonth"] as const;
type Limit = (typeof RATES)[number] | (typeof BUDGETS)[number];

export interface KeyDraft extends Record<Limit, string> {
  name: string;
  projectID: string;
  models: string;
  channels: string[];
  keepsBodies: boolean;
  /** As the browser's field has it, in local time; "" is never. */
  expiresAt: string;
}

const NONE = Object.fromEntries([...RATES, ...BUDGETS].map((name) => [name, ""])) as Record<Limit, string>;

export const NEW_KEY: KeyDraft = { name: "", projectID: "", models: "", channels: [], keepsBodies: false, expiresAt: "", ...NONE };

const text = (value: number | null) => (value === null ? "" : String(value));

export function draftOf(key: Key): KeyDraft {
  return {
    name: key.name,
    projectID: key.projectID,
    models: key.models.join("\n"),
    channels: [...key.channels],
    keepsBodies: key.keepsBodies,
    expiresAt: key.expiresAt === null ? "" : localTime(key.expiresAt),
    requestsPerMinute: text(key.rates.requestsPerMinute),
    tokensPerMinute: text(key.rates.tokensPerMinute),
    concurrentTurns: text(key.rates.concurrentTurns),
    tokensPerDay: text(key.budgets.tokensPerDay),
    tokensPerMonth: text(key.budgets.tokensPerMonth),
    costPerDay: text(key.budgets.costPerDay),
    costPerMonth: text(key.budgets.costPerMonth),
  };
}

/** A time as `datetime-local` writes it. */
export function localTime(iso: string): string {
  const at = new Date(iso);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

const whole = (typed: string) => (typed.trim() === "" ? null : Math.trunc(Number(typed)));
const money = (typed: string) => (typed.trim() === "" ? null : Number(typed));

export function inputOf(draft: KeyDraft): KeyInput {
  return {
    name: draft.name.trim(),
    ...(draft.projectID === "" ? {} : { projectID: draft.projectID }),
    models: draft.models.split(/[\n,]/).map((each) => each.trim()).filter(Boolean),
    channels: draft.channels,
    keepsBodies: draft.keepsBodies,
    expiresAt: draft.expiresAt === "" ? null : new Date(draft.expiresAt).toISOString(),
    rates: {
      requestsPerMinute: whole(draft.requestsPerMinute),
      tokensPerMinute: whole(draft.tokensPerMinute),
      concurrentTurns: whole(draft.concurrentTurns),
    },
    budgets: {
      tokensPerDay: whole(draft.tokensPerDay),
      tokensPerMonth: whole(draft.tokensPerMonth),
      costPerDay: money(draft.costPerDay),
      costPerMonth: money(draft.costPerMonth),
    },
  };
}

export function differences(theirs: KeyDraft, yours: KeyDraft): { field: string; theirs: string; yours: string }[] {
  return (Object.keys(theirs) as (keyof KeyDraft)[])
    .filter((field) => String(theirs[field]) !== String(yours[field]))
    .map((field) => ({ field, theirs: String(theirs[field]), yours: String(yours[field]) }));
}
