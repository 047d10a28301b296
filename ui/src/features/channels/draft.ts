/** A channel as it is being written. Everything typed stays, whatever is switched meanwhile. */
import type { Channel, ChannelInput } from "./api";

export const APIS = ["responses", "chat_completions", "messages"] as const;
export type Api = (typeof APIS)[number];
export type ChannelType = "openai" | "codex";
/** How the upstream knows us: by a key, or by accounts that signed in. */
export type Auth = "key" | "account";

export interface EndpointDraft {
  path: string;
  baseURL: string;
  /** "" inherits the channel's. */
  transport: string;
}

export interface ChannelDraft {
  name: string;
  type: ChannelType;
  auth: Record<ChannelType, Auth>;
  /** "" is the default of the type. */
  baseURL: Record<ChannelType, string>;
  transport: string;
  endpoints: Record<Api, EndpointDraft>;
  /** What is typed for a new key; "" keeps the one there is. */
  apiKey: string;
  removesKey: boolean;
  models: string;
  renames: { from: string; to: string }[];
  tags: string;
  weight: string;
  organization: string;
  project: string;
  /** undefined keeps what is there. */
  proxy: string | undefined;
  tlsCa: string;
  tlsVerify: boolean;
  headers: { name: string; value: string; isKept: boolean }[];
  requestsPerMinute: string;
  tokensPerMinute: string;
  concurrentTurns: string;
  handshakeRate: string;
  handshakeBurst: string;
}

export const SECRETS: readonly (keyof ChannelDraft)[] = ["apiKey", "proxy", "headers"];

const INHERITED: EndpointDraft = { path: "", baseURL: "", transport: "" };

export const NEW_CHANNEL: ChannelDraft = {
  name: "",
  type: "openai",
  auth: { openai: "key", codex: "account" },
  baseURL: { openai: "", codex: "" },
  transport: "auto",
  endpoints: { responses: INHERITED, chat_completions: INHERITED, messages: INHERITED },
  apiKey: "",
  removesKey: false,
  models: "*",
  renames: [],
  tags: "",
  weight: "1",
  organization: "",
  project: "",
  proxy: undefined,
  tlsCa: "",
  tlsVerify: true,
  headers: [],
  requestsPerMinute: "",
  tokensPerMinute: "",
  concurrentTurns: "",
  handshakeRate: "0",
  handshakeBurst: "3",
};

const text = (value: number | null) => (value === null ? "" : String(value));

export function draftOf(channel: Channel): ChannelDraft {
  const type: ChannelType = channel.type === "codex" ? "codex" : "openai";
  const own = (api: Api): EndpointDraft => {
    const found = channel.endpoints.find((each) => each.apiFormat === api);
    return found ? { path: found.path, baseURL: found.baseURL, transport: found.transport } : INHERITED;
  };
  return {
    ...NEW_CHANNEL,
    name: channel.name,
    type,
    auth: { openai: "key", codex: channel.hasCredential ? "key" : "account" },
    baseURL: { ...NEW_CHANNEL.baseURL, [type]: channel.baseURL },
    transport: channel.transport,
    endpoints: { responses: own("responses"), chat_completions: own("chat_completions"), messages: own("messages") },
    models: channel.models.join("\n"),
    renames: channel.renames.map(({ from, to }) => ({ from, to })),
    tags: channel.tags.join(", "),
    weight: String(channel.weight),
    organization: channel.organization,
    project: channel.project,
    tlsCa: channel.tlsCa,
    tlsVerify: channel.tlsVerify,
    headers: channel.headerNames.map((name) => ({ name, value: "", isKept: true })),
    requestsPerMinute: text(channel.rates.requestsPerMinute),
    tokensPerMinute: text(channel.rates.tokensPerMinute),
    concurrentTurns: text(channel.rates.concurrentTurns),
    handshakeRate: String(channel.handshakeRate),
    handshakeBurst: String(channel.handshakeBurst),
  };
}

/** A copy to be saved as a new channel: secrets are not copied, for they never come out. */
export function copyOf(channel: Channel): ChannelDraft {
  return { ...draftOf(channel), name: `${channel.name}-2`, headers: channel.headerNames.map((name) => ({ name, value: "", isKept: false })) };
}

const words = (list: string) => list.split(/[\n,]/).map((each) => each.trim()).filter(Boolean);
const count = (typed: string) => (typed.trim() === "" ? null : Math.trunc(Number(typed)));
const number = (typed: string) => (typed.trim() === "" ? null : Number(typed));

/** The endpoints that differ from the channel, in the order they are sent. */
export function ownEndpoints(draft: ChannelDraft): { api: Api; endpoint: EndpointDraft }[] {
  return APIS.map((api) => ({ api, endpoint: draft.endpoints[api] })).filter(
    ({ endpoint }) => endpoint.path !== "" || endpoint.baseURL !== "" || endpoint.transport !== "",
  );
}

function keyOf(draft: ChannelDraft, isNew: boolean): Pick<ChannelInput, "apiKey"> {
  if (draft.auth[draft.type] === "account") return isNew ? {} : { apiKey: null };
  if (draft.apiKey !== "") return { apiKey: draft.apiKey };
  return draft.removesKey ? { apiKey: null } : {};
}

export function inputOf(draft: ChannelDraft, isNew: boolean): ChannelInput {
  const headers = draft.headers.filter((each) => each.name.trim() !== "");
  return {
    name: draft.name.trim(),
    type: draft.type,
    baseURL: draft.baseURL[draft.type].trim() || null,
    transport: draft.transport,
    ...keyOf(draft, isNew),
    models: words(draft.models),
    renames: draft.renames.filter((each) => each.from !== "" || each.to !== ""),
    tags: words(draft.tags),
    weight: number(draft.weight),
    organization: draft.organization.trim(),
    project: draft.project.trim(),
    ...(draft.proxy === undefined ? {} : { proxy: draft.proxy.trim() || null }),
    tlsCa: draft.tlsCa.trim(),
    tlsVerify: draft.tlsVerify,
    headers: headers.map((each) => ({ name: each.name.trim(), value: each.isKept ? null : each.value })),
    rates: {
      requestsPerMinute: count(draft.requestsPerMinute),
      tokensPerMinute: count(draft.tokensPerMinute),
      concurrentTurns: count(draft.concurrentTurns),
    },
    handshakeRate: number(draft.handshakeRate),
    handshakeBurst: count(draft.handshakeBurst),
    endpoints: ownEndpoints(draft).map(({ api, endpoint }) => ({
      apiFormat: api,
      path: endpoint.path.trim() || null,
      baseURL: endpoint.baseURL.trim() || null,
      transport: endpoint.transport || null,
    })),
  };
}

/** What differs between two versions, field by field, for people; secrets are never among it. */
export function differences(theirs: ChannelDraft, yours: ChannelDraft): { field: string; theirs: string; yours: string }[] {
  const told = (draft: ChannelDraft) => {
    const { apiKey, proxy, removesKey: _, auth, baseURL, endpoints, headers, ...rest } = draft;
    return {
      ...Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, shown(value)])),
      auth: auth[draft.type],
      baseURL: baseURL[draft.type],
      headers: headers.map((each) => each.name).join(", "),
      ...Object.fromEntries(APIS.map((api) => [`endpoints.${api}`, Object.values(endpoints[api]).filter(Boolean).join(" · ")])),
      apiKey: apiKey === "" ? "" : "•••",
      proxy: proxy === undefined ? "" : "•••",
    } as Record<string, string>;
  };
  const left = told(theirs);
  const right = told(yours);
  return Object.keys(left)
    .filter((field) => left[field] !== right[field])
    .map((field) => ({ field, theirs: left[field] ?? "", yours: right[field] ?? "" }));
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.map((each: { from: string; to: string }) => `${each.from} → ${each.to}`).join(", ");
  return String(value);
}
