/** A key as it is being written. */
import { exhaustive, recordOf } from "@/api/records";
import { differencesOf } from "@/shared/draft";
import type { Key, KeyInput } from "./api";

export type Rate = keyof Key["rates"];
export type Budget = keyof Key["budgets"];
export const RATES = exhaustive<Rate>({ requestsPerMinute: true, tokensPerMinute: true, concurrentTurns: true });
export const BUDGETS = exhaustive<Budget>({ tokensPerDay: true, tokensPerMonth: true, costPerDay: true, costPerMonth: true });

/** Limits as they are typed; "" is none. */
export type Limits = Record<Rate | Budget, string>;

export interface KeyDraft extends Pick<Key, "name" | "projectID" | "userID" | "channels" | "keepsBodies" | "showsReasoning">, Limits {
  models: string;
  /** As the browser's field has it, in local time; "" is never. */
  expiresAt: string;
}

export const NO_LIMITS: Limits = recordOf([...RATES, ...BUDGETS], () => "");

export const NEW_KEY: KeyDraft = { name: "", projectID: "", userID: "", models: "", channels: [], keepsBodies: false, showsReasoning: false, expiresAt: "", ...NO_LIMITS };

const text = (value: number | null) => (value === null ? "" : String(value));

export function draftOf(key: Key): KeyDraft {
  return {
    name: key.name,
    projectID: key.projectID,
    userID: key.userID,
    models: key.models.join("\n"),
    channels: [...key.channels],
    keepsBodies: key.keepsBodies,
    showsReasoning: key.showsReasoning,
    expiresAt: key.expiresAt === null ? "" : localTime(key.expiresAt),
    ...limitsOf(key),
  };
}

/** Limits as they are typed. */
export function limitsOf({ rates, budgets }: Pick<Key, "rates" | "budgets">): Limits {
  return { ...recordOf(RATES, (name) => text(rates[name])), ...recordOf(BUDGETS, (name) => text(budgets[name])) };
}

/** Limits as the admin API takes them. */
export function limitsInput(draft: Limits) {
  return {
    rates: recordOf(RATES, (name) => whole(draft[name])),
    budgets: recordOf(BUDGETS, (name) => (isMoney(name) ? number : whole)(draft[name])),
  };
}

/** Names or patterns, a line or a comma apart. */
export const modelsOf = (typed: string) =>
  typed
    .split(/[\n,]/)
    .map((each) => each.trim())
    .filter(Boolean);

/** A time as `datetime-local` writes it. */
export function localTime(iso: string): string {
  const at = new Date(iso);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

const number = (typed: string) => (typed.trim() === "" ? null : Number(typed));
const whole = (typed: string) => (typed.trim() === "" ? null : Math.trunc(Number(typed)));
const isMoney = (name: Budget) => name.startsWith("cost");

/** What stays as it is where it is left out; a field beside them that the schema gains is missing below until it is sent. */
type Optional = "projectID" | "userID" | "status";
type Input = Required<Omit<KeyInput, Optional>> & Pick<KeyInput, Optional>;

export function inputOf(draft: KeyDraft): Input {
  return {
    name: draft.name.trim(),
    ...(draft.projectID === "" ? {} : { projectID: draft.projectID }),
    ...(draft.userID === "" ? {} : { userID: draft.userID }),
    models: modelsOf(draft.models),
    channels: draft.channels,
    keepsBodies: draft.keepsBodies,
    showsReasoning: draft.showsReasoning,
    expiresAt: draft.expiresAt === "" ? null : new Date(draft.expiresAt).toISOString(),
    ...limitsInput(draft),
  };
}

export const differences = (theirs: KeyDraft, yours: KeyDraft) => differencesOf(Object.keys(theirs) as (keyof KeyDraft)[], theirs, yours);
