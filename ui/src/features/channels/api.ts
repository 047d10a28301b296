/** Channels as the admin API has them. */
import { queryOptions } from "@tanstack/react-query";
import { ask } from "@/api/client";
import { graphql, type ResultOf, type VariablesOf } from "@/api/graphql";
import { CHANNEL_STATUSES } from "@/api/names";

const ENDPOINT = graphql(`
  fragment EndpointFields on Endpoint { apiFormat path baseURL transport dials }
`);

const RESTS = graphql(`fragment RestsFields on Rests { why since until }`);
const FAILURE = graphql(`
  fragment FailureFields on ChannelFailure { at status code message transport trouble requestID turnID node }
`);
export type Rests = ResultOf<typeof RESTS>;
export type ChannelFailure = ResultOf<typeof FAILURE>;

export const CHANNEL = graphql(
  `
  fragment ChannelFields on Channel {
    id name type baseURL transport models tags weight status organization project hasCredential
    proxy tlsCa tlsVerify headerNames handshakeRate handshakeBurst nativeItems managedBy updatedAt revision
    apis offered passed profile unsupported threads
    quirks { setting value }
    prices { model input cached cacheWrite output tiers { above input cached cacheWrite output } }
    renames { from to }
    overrides { action member header value models apis }
    keys { id label masked weight isEnabled trust problem resting { ...RestsFields } requests { usedPercent } tokens { usedPercent } }
    rates { requestsPerMinute tokensPerMinute concurrentTurns }
    endpoints { ...EndpointFields }
    defaultEndpoints { ...EndpointFields }
    health {
      channel websocket connections problem
      resting { ...RestsFields } websocketResting { ...RestsFields }
      cause { ...FailureFields } lastFailure { ...FailureFields }
      nodes {
        node channel websocket problem
        resting { ...RestsFields } websocketResting { ...RestsFields } cause { ...FailureFields }
      }
    }
  }
`,
  [ENDPOINT, RESTS, FAILURE],
);

export type Channel = ResultOf<typeof CHANNEL>;
export type Status = Channel["status"];

const LIST = graphql(
  `
  query Channels($statuses: [ChannelStatus!]!) {
    channels(first: 200, statuses: $statuses) { nodes { ...ChannelFields } }
  }
`,
  [CHANNEL],
);

export const channelsQuery = (withArchived: boolean) =>
  queryOptions({
    queryKey: ["channels", "list", withArchived],
    queryFn: ({ signal }) =>
      ask(LIST, { statuses: CHANNEL_STATUSES.filter((each) => withArchived || each !== "ARCHIVED") }, signal),
    refetchInterval: 5_000,
  });

const ONE = graphql(`query Channel($id: ID!) { channel(id: $id) { ...ChannelFields } }`, [CHANNEL]);

export const channelQuery = (id: string) =>
  queryOptions({ queryKey: ["channels", "one", id], queryFn: ({ signal }) => ask(ONE, { id }, signal), refetchInterval: 5_000 });

const OVERVIEW = graphql(`
  query ChannelOverview($id: ID!, $before: DateTime!, $since: DateTime!, $until: DateTime!, $span: UsageSpan!, $filter: UsageFilter) {
    channel(id: $id) { health { lastServed } errors(since: $since) { code turns last } }
    now: usage(since: $since, until: $until, span: $span, filter: $filter) { totals { turns continued failures costUsd } }
    before: usage(since: $before, until: $since, span: $span, filter: $filter) { totals { turns continued failures costUsd } }
  }
`);
/** What came of a channel in a time, and in the time of equal length before. */
export const channelOverviewQuery = (id: string, times: Omit<VariablesOf<typeof OVERVIEW>, "id" | "filter">) =>
  queryOptions({
    queryKey: ["channels", "overview", id, times],
    queryFn: ({ signal }) => ask(OVERVIEW, { id, ...times, filter: { channelID: id } }, signal),
    refetchInterval: 15_000,
    placeholderData: (before) => before,
  });
export type ChannelOverview = ResultOf<typeof OVERVIEW>;

const DRAFT = graphql(
  `
  query ChannelDraft($id: ID, $input: ChannelInput!) {
    channelDraft(id: $id, input: $input) {
      problems { field message }
      profile { name settings { name meaning value source isOverridden } }
      endpoints { ...EndpointFields }
    }
  }
`,
  [ENDPOINT],
);

export type ChannelInput = VariablesOf<typeof DRAFT>["input"];
export type Endpoint = ResultOf<typeof ENDPOINT>;

export const draftQuery = (id: string | undefined, input: ChannelInput) =>
  queryOptions({
    queryKey: ["channels", "draft", id, input],
    queryFn: ({ signal }) => ask(DRAFT, { id: id ?? null, input }, signal),
    placeholderData: (before) => before,
    gcTime: 30_000,
  });

const CREATE = graphql(`mutation CreateChannel($input: ChannelInput!) { createChannel(input: $input) { ...ChannelFields } }`, [
  CHANNEL,
]);
export const createChannel = (input: ChannelInput) => ask(CREATE, { input }).then((told) => told.createChannel);

const UPDATE = graphql(
  `
  mutation UpdateChannel($id: ID!, $revision: Int!, $input: ChannelInput!) {
    updateChannel(id: $id, revision: $revision, input: $input) { ...ChannelFields }
  }
`,
  [CHANNEL],
);
export const updateChannel = (id: string, revision: number, input: ChannelInput) =>
  ask(UPDATE, { id, revision, input }).then((told) => told.updateChannel);

const SET_STATUS = graphql(
  `
  mutation SetChannelStatus($id: ID!, $revision: Int!, $status: ChannelStatus!) {
    updateChannelStatus(id: $id, revision: $revision, status: $status) { ...ChannelFields }
  }
`,
  [CHANNEL],
);
export const setChannelStatus = (id: string, revision: number, status: Status) =>
  ask(SET_STATUS, { id, revision, status }).then((told) => told.updateChannelStatus);

const DELETE = graphql(`mutation DeleteChannel($id: ID!, $revision: Int!) { deleteChannel(id: $id, revision: $revision) }`);
export const deleteChannel = (id: string, revision: number) => ask(DELETE, { id, revision });

const ADD_KEY = graphql(
  `
  mutation AddChannelKey($id: ID!, $revision: Int!, $key: String!, $input: ChannelKeyInput) {
    addChannelKey(channelID: $id, revision: $revision, key: $key, input: $input) { ...ChannelFields }
  }
`,
  [CHANNEL],
);
type Held = Pick<Channel, "id" | "revision">;
type KeyInput = NonNullable<VariablesOf<typeof ADD_KEY>["input"]>;
export const addChannelKey = ({ id, revision }: Held, key: string, input: KeyInput) =>
  ask(ADD_KEY, { id, revision, key, input }).then((told) => told.addChannelKey);

const UPDATE_KEY = graphql(
  `
  mutation UpdateChannelKey($id: ID!, $revision: Int!, $key: ID!, $input: ChannelKeyInput) {
    updateChannelKey(channelID: $id, revision: $revision, keyID: $key, input: $input) { ...ChannelFields }
  }
`,
  [CHANNEL],
);
export const updateChannelKey = ({ id, revision }: Held, key: string, input: KeyInput) =>
  ask(UPDATE_KEY, { id, revision, key, input }).then((told) => told.updateChannelKey);

const REMOVE_KEY = graphql(
  `
  mutation RemoveChannelKey($id: ID!, $revision: Int!, $key: ID!) {
    removeChannelKey(channelID: $id, revision: $revision, keyID: $key) { ...ChannelFields }
  }
`,
  [CHANNEL],
);
export const removeChannelKey = ({ id, revision }: Held, key: string) =>
  ask(REMOVE_KEY, { id, revision, key }).then((told) => told.removeChannelKey);

const PREVIEW = graphql(`
  query PreviewOverrides($id: ID!, $overrides: [OverrideInput!]!, $turn: ID) {
    previewOverrides(channelID: $id, overrides: $overrides, turnID: $turn) {
      api model isSample members { name before after } headers { name before after }
    }
  }
`);
export type Preview = ResultOf<typeof PREVIEW>["previewOverrides"];
/** What overrides would make of a logged turn; without one of a sample. */
export const previewQuery = (id: string, overrides: VariablesOf<typeof PREVIEW>["overrides"], turn: string) =>
  queryOptions({
    queryKey: ["channels", "preview", id, overrides, turn],
    queryFn: ({ signal }) =>
      ask(PREVIEW, { id, overrides, turn: turn === "" ? null : turn }, signal).then((told) => told.previewOverrides),
    retry: false,
    gcTime: 30_000,
  });

const PRESETS = graphql(`
  query ChannelPresets {
    channelPresets {
      name vendor type baseURL apis profile transport keyHint keyURL source
      endpoints { apiFormat baseURL }
    }
  }
`);
export const presetsQuery = queryOptions({
  queryKey: ["channels", "presets"],
  queryFn: ({ signal }) => ask(PRESETS, {}, signal).then((told) => told.channelPresets),
  staleTime: Number.POSITIVE_INFINITY,
});
export type Preset = ResultOf<typeof PRESETS>["channelPresets"][number];

const PROFILES = graphql(`
  query ChannelProfiles { channelProfiles { name } profileSettings { name meaning } }
`);
export const profilesQuery = queryOptions({
  queryKey: ["channels", "profiles"],
  queryFn: ({ signal }) => ask(PROFILES, {}, signal),
  staleTime: Number.POSITIVE_INFINITY,
});
export type Profile = NonNullable<ResultOf<typeof DRAFT>["channelDraft"]["profile"]>;

const IN_FORCE = graphql(`
  query ProfileInForce($id: ID!) {
    channel(id: $id) { profileInForce { name settings { name meaning value source isOverridden } } }
  }
`);
/** The profile that holds for a channel as it was saved: of one that is not changed here. */
export const profileQuery = (id: string | undefined, isWanted: boolean) =>
  queryOptions({
    queryKey: ["channels", "profile", id],
    queryFn: ({ signal }) => ask(IN_FORCE, { id: id ?? "" }, signal).then((told) => told.channel.profileInForce),
    enabled: isWanted && id !== undefined,
  });

const COSTS = graphql(`
  query ChannelCosts($id: ID!) {
    channel(id: $id) { costs { model isConfigured price { input cached cacheWrite output } } }
  }
`);
export type Cost = ResultOf<typeof COSTS>["channel"]["costs"][number];
/** What the models cost that a channel names, as it was saved. */
export const costsQuery = ({ id, revision }: Pick<Channel, "id" | "revision">) =>
  queryOptions({
    queryKey: ["channels", "costs", id, revision],
    queryFn: ({ signal }) => ask(COSTS, { id }, signal).then((told) => told.channel.costs),
  });
