/** What is wrong with a draft, by the field of the form that can mend it. */
import type { FieldProblem } from "@/api/errors";
import { type ChannelDraft, ownEndpoints } from "./draft";

/** A field as the gateway names it, but for endpoints: those by their API, as `endpoints.responses.path`. */
export type Problems = (field: string) => string | undefined;

const NUMBERED = /^endpoints\.(\d+)\.(.+)$/;

export function problemsOf(told: readonly FieldProblem[], draft: ChannelDraft): Problems {
  const own = ownEndpoints(draft);
  const found = new Map<string, string>();
  for (const { field, message } of told) {
    const [, number, rest] = NUMBERED.exec(field) ?? [];
    const api = number === undefined ? undefined : own[Number(number)]?.api;
    const name = api === undefined ? field : `endpoints.${api}.${rest}`;
    if (!found.has(name)) found.set(name, message);
  }
  return (field) => found.get(field);
}
