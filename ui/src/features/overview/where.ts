/** What the overview counts, between its address and the admin API; and as the log's address has it. */
import type { VariablesOf } from "@/api/graphql";
import type { TurnsSearch } from "@/shared/TurnsLink";
import type { By, USAGE } from "./usage";

export const PLACES = ["project", "channel", "key", "user", "model", "api", "reason"] as const;
export type Place = (typeof PLACES)[number];
export type Where = Partial<Record<Place, string>>;
type UsageFilter = NonNullable<VariablesOf<typeof USAGE>["filter"]>;

/** Words that stand where others have a reason. */
const CONTINUITIES = ["continued", "as-given"];

export function whereOf(search: Partial<Record<string, string>>): Where {
  return Object.fromEntries(PLACES.flatMap((place) => (search[place] ? [[place, search[place]]] : [])));
}

export function filterOf(where: Where): Required<UsageFilter> {
  return {
    projectID: where.project ?? null,
    channelID: where.channel ?? null,
    keyID: where.key ?? null,
    model: where.model ?? null,
    apiFormat: where.api ?? null,
    reason: where.reason ?? null,
    userID: where.user ?? null,
  };
}

/** The filters of the log that leave the same turns; it has none by person. */
export function logOf({ reason, user: _, ...where }: Where): TurnsSearch {
  if (reason === undefined) return where;
  return CONTINUITIES.includes(reason) ? { ...where, continuity: reason } : { ...where, reason };
}

/** The same, of one line of a split. */
export function logOfOne(where: Where, by: By, name: string): TurnsSearch {
  const place = { CHANNEL: "channel", MODEL: "model", KEY: "key", API: "api", PROJECT: "project", REASON: "reason", USER: undefined, ALL: undefined } as const;
  const field = place[by];
  return logOf(field === undefined ? where : { ...where, [field]: name });
}
