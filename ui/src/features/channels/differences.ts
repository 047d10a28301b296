/** Two versions of a channel, side by side for people. */
import { recordOf } from "@/api/records";
import { ALL_APIS, type AnyApi } from "@/api/words";
import { differencesOf } from "@/shared/draft";
import { type ChannelDraft, offered } from "./draft";

type Field = Exclude<keyof ChannelDraft, "removesKey" | "endpoints"> | `endpoints.${AnyApi}`;

/** What differs between two versions, field by field, for people; secrets are never among it. */
export function differences(theirs: ChannelDraft, yours: ChannelDraft) {
  const left = textsOf(theirs);
  const right = textsOf(yours);
  return differencesOf(Object.keys(left) as Field[], left, right);
}

function textsOf(draft: ChannelDraft): Record<Field, string> {
  const { apiKey, proxy, removesKey: _, auth, baseURL, apis: _all, endpoints, headers, quirks, prices, overrides, ...rest } = draft;
  const own = ALL_APIS.map((api) => [`endpoints.${api}`, Object.values(endpoints[api]).filter(Boolean).join(" · ")] as const);
  return {
    ...recordOf(Object.keys(rest) as (keyof typeof rest)[], (name) => shown(rest[name])),
    auth: auth[draft.type],
    baseURL: baseURL[draft.type],
    apis: offered(draft).join(", "),
    quirks: quirks.map((each) => `${each.setting} = ${each.value}`).join(", "),
    prices: prices.map((each) => `${each.model} ${each.input}/${each.output}${each.tiers.map((tier) => ` >${tier.above} ${tier.input}/${tier.output}`).join("")}`).join(", "),
    headers: headers.map((each) => each.name).join(", "),
    overrides: overrides.map((each) => `${each.action} ${each.name} ${each.kind === "header" ? "" : each.value} ${each.models}`.trim()).join(", "),
    ...(Object.fromEntries(own) as Record<`endpoints.${AnyApi}`, string>),
    apiKey: apiKey === "" ? "" : "•••",
    proxy: proxy === undefined ? "" : "•••",
  };
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.map((each: { from: string; to: string }) => `${each.from} → ${each.to}`).join(", ");
  return String(value);
}
