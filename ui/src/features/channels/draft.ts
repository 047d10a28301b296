/** A channel as it is being written. Everything typed stays, whatever is switched meanwhile. */
import { type OverrideDraft, overrideInputs, overridesOf } from "./overrideDraft";
import { type PriceDraft, priceInputs, pricesOf } from "./priceDraft";
import { recordOf } from "@/api/records";
import {
  ALL_APIS,
  type AnyApi,
  CHANNEL_TYPES,
  type ChannelType,
  DEFAULT_APIS,
  type Transport,
  type Unsupported,
} from "@/api/words";
import { type Rate, RATES } from "@/features/keys/draft";
import type { Channel, ChannelInput } from "./api";

/** How the upstream knows us: by a key, or by accounts that signed in. */
export type Auth = "key" | "account";

export const NATIVE_ITEM_CHOICES = ["default", "none", "tools", "updates", "both"] as const;
export type NativeItems = (typeof NATIVE_ITEM_CHOICES)[number];

/** The items that an upstream takes, by how they are chosen; null is the default of the type. */
const NATIVE_ITEMS: Record<NativeItems, string[] | null> = {
  default: null,
  none: [],
  tools: ["additional_tools"],
  updates: ["configuration_update"],
  both: ["additional_tools", "configuration_update"],
};

function chosenItems(items: string[] | null): NativeItems {
  if (items === null) return "default";
  const takesUpdates = items.includes("configuration_update");
  if (items.includes("additional_tools")) return takesUpdates ? "both" : "tools";
  return takesUpdates ? "updates" : "none";
}

export interface EndpointDraft {
  path: string;
  baseURL: string;
  /** "" inherits the channel's. */
  transport: Transport | "";
}

/** What a million tokens of a model, or of those of a pattern, cost, as typed. */
type AsIs = Pick<Channel, "name" | "organization" | "project" | "tlsCa" | "tlsVerify">;

export interface ChannelDraft extends AsIs, Record<Rate, string> {
  type: ChannelType;
  auth: Record<ChannelType, Auth>;
  /** "" is the default of the type. */
  baseURL: Record<ChannelType, string>;
  transport: Transport;
  /** null is the default of the type. */
  apis: Record<ChannelType, readonly AnyApi[] | null>;
  /** "" goes by the host. */
  profile: string;
  quirks: { setting: string; value: string }[];
  unsupported: Unsupported;
  threads: boolean;
  prices: PriceDraft[];
  overrides: OverrideDraft[];
  endpoints: Record<AnyApi, EndpointDraft>;
  /** What is typed for a new key; "" keeps the one there is. */
  apiKey: string;
  removesKey: boolean;
  models: string;
  renames: { from: string; to: string }[];
  tags: string;
  weight: string;
  /** undefined keeps what is there. */
  proxy: string | undefined;
  headers: { name: string; value: string; isKept: boolean }[];
  handshakeRate: string;
  handshakeBurst: string;
  nativeItems: NativeItems;
}

/** What may be kept of a draft outside this page's memory. */
export function withoutSecrets({ apiKey: _key, proxy: _proxy, headers: _headers, overrides, ...rest }: ChannelDraft): Partial<ChannelDraft> {
  return { ...rest, overrides: overrides.map((each) => (each.kind === "header" ? { ...each, value: "" } : each)) };
}

export const INHERITED: EndpointDraft = { path: "", baseURL: "", transport: "" };

export const NEW_CHANNEL: ChannelDraft = {
  name: "",
  type: "openai",
  auth: { ...recordOf(CHANNEL_TYPES, (): Auth => "key"), codex: "account" },
  baseURL: recordOf(CHANNEL_TYPES, () => ""),
  transport: "auto",
  apis: recordOf(CHANNEL_TYPES, () => null),
  profile: "",
  quirks: [],
  unsupported: "refuse",
  threads: false,
  prices: [],
  overrides: [],
  endpoints: recordOf(ALL_APIS, () => INHERITED),
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
  ...recordOf(RATES, () => ""),
  handshakeRate: "0",
  handshakeBurst: "3",
  nativeItems: "default",
};

const text = (value: number | null) => (value === null ? "" : String(value));

/** The APIs that the upstream offers, in their usual order. */
export function offered(draft: Pick<ChannelDraft, "type" | "apis">): readonly AnyApi[] {
  return draft.apis[draft.type] ?? DEFAULT_APIS[draft.type];
}

export function draftOf(channel: Channel): ChannelDraft {
  const type = channel.type as ChannelType;
  const own = (api: AnyApi): EndpointDraft => {
    const found = channel.endpoints.find((each) => each.apiFormat === api);
    return found ? { path: found.path, baseURL: found.baseURL, transport: found.transport as Transport | "" } : INHERITED;
  };
  return {
    ...NEW_CHANNEL,
    name: channel.name,
    type,
    auth: { ...NEW_CHANNEL.auth, codex: channel.hasCredential ? "key" : "account" },
    baseURL: { ...NEW_CHANNEL.baseURL, [type]: channel.baseURL },
    transport: channel.transport as Transport,
    apis: { ...NEW_CHANNEL.apis, [type]: channel.apis as AnyApi[] | null },
    profile: channel.profile,
    quirks: channel.quirks.map(({ setting, value }) => ({ setting, value })),
    unsupported: channel.unsupported as Unsupported,
    threads: channel.threads,
    prices: pricesOf(channel),
    overrides: overridesOf(channel),
    endpoints: recordOf(ALL_APIS, own),
    models: channel.models.join("\n"),
    renames: channel.renames.map(({ from, to }) => ({ from, to })),
    tags: channel.tags.join(", "),
    weight: String(channel.weight),
    organization: channel.organization,
    project: channel.project,
    tlsCa: channel.tlsCa,
    tlsVerify: channel.tlsVerify,
    headers: channel.headerNames.map((name) => ({ name, value: "", isKept: true })),
    ...recordOf(RATES, (name) => text(channel.rates[name])),
    handshakeRate: String(channel.handshakeRate),
    handshakeBurst: String(channel.handshakeBurst),
    nativeItems: chosenItems(channel.nativeItems),
  };
}

/** A copy to be saved as a new channel: secrets are not copied, for they never come out. */
export function copyOf(channel: Channel): ChannelDraft {
  const draft = draftOf(channel);
  return {
    ...draft,
    name: `${channel.name}-2`,
    headers: draft.headers.map((each) => ({ ...each, isKept: false })),
    overrides: draft.overrides.map((each) => ({ ...each, isKept: false })),
  };
}

const words = (list: string) => list.split(/[\n,]/).map((each) => each.trim()).filter(Boolean);
const count = (typed: string) => (typed.trim() === "" ? null : Math.trunc(Number(typed)));
const number = (typed: string) => (typed.trim() === "" ? null : Number(typed));

/** The endpoints on offer that differ from the channel, in the order they are sent. */
export function ownEndpoints(draft: ChannelDraft): { api: AnyApi; endpoint: EndpointDraft }[] {
  const apis = offered(draft);
  return ALL_APIS.filter((api) => apis.includes(api))
    .map((api) => ({ api, endpoint: draft.endpoints[api] }))
    .filter(({ endpoint }) => endpoint.path !== "" || endpoint.baseURL !== "" || endpoint.transport !== "");
}

/** What stays as it is where it is left out; a field beside them that the schema gains is missing below until it is sent. */
type Optional = "apiKey" | "proxy" | "status";
type Input = Required<Omit<ChannelInput, Optional>> & Pick<ChannelInput, Optional>;

function keyOf(draft: ChannelDraft, isNew: boolean): Pick<ChannelInput, "apiKey"> {
  if (draft.auth[draft.type] === "account") return isNew ? {} : { apiKey: null };
  if (draft.apiKey !== "") return { apiKey: draft.apiKey };
  return draft.removesKey ? { apiKey: null } : {};
}

export function inputOf(draft: ChannelDraft, isNew: boolean): Input {
  const headers = draft.headers.filter((each) => each.name.trim() !== "");
  const apis = offered(draft);
  return {
    name: draft.name.trim(),
    type: draft.type,
    baseURL: draft.baseURL[draft.type].trim() || null,
    transport: apis.includes("responses") ? draft.transport : "http",
    apis: draft.apis[draft.type] === null ? null : [...apis],
    profile: draft.profile,
    quirks: draft.quirks.filter((each) => each.setting !== "").map(({ setting, value }) => ({ setting, value })),
    unsupported: draft.unsupported,
    threads: draft.threads && apis.includes("messages"),
    prices: priceInputs(draft.prices),
    overrides: overrideInputs(draft.overrides),
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
    rates: recordOf(RATES, (name) => count(draft[name])),
    handshakeRate: number(draft.handshakeRate),
    handshakeBurst: count(draft.handshakeBurst),
    nativeItems: NATIVE_ITEMS[draft.nativeItems],
    endpoints: ownEndpoints(draft).map(({ api, endpoint }) => ({
      apiFormat: api,
      path: endpoint.path.trim() || null,
      baseURL: endpoint.baseURL.trim() || null,
      transport: endpoint.transport || null,
    })),
  };
}
