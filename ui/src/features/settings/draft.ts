/** How long things are kept, as it is being written. */
import { exhaustive } from "@/api/records";
import { differencesOf } from "@/shared/draft";
import type { Settings, SettingsInput } from "./api";

export type RetentionDraft = Record<keyof SettingsInput, string>;

export function draftOf({ turnDays, bodyDays }: Settings): RetentionDraft {
  return { turnDays: String(turnDays), bodyDays: String(bodyDays) };
}

/** An empty field is the default, as null is. */
const days = (typed: string) => (typed.trim() === "" ? null : Math.trunc(Number(typed)));

export function inputOf(draft: RetentionDraft): Required<SettingsInput> {
  return { turnDays: days(draft.turnDays), bodyDays: days(draft.bodyDays) };
}

/** Whether saving deletes something that is kept now: that cannot be undone. */
export function isShorter(draft: RetentionDraft, held: Settings): boolean {
  const { turnDays, bodyDays } = inputOf(draft);
  return (turnDays ?? held.turnDays) < held.turnDays || (bodyDays ?? held.bodyDays) < held.bodyDays;
}

const FIELDS = exhaustive<keyof RetentionDraft>({ turnDays: true, bodyDays: true });

export const differences = (theirs: RetentionDraft, yours: RetentionDraft) => differencesOf(FIELDS, theirs, yours);
