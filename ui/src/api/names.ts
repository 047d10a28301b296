/** Names for ids: lists that many pages need, asked once. */
import { queryOptions, useQuery } from "@tanstack/react-query";
import { ask } from "./client";
import { type EnumOf, graphql } from "./graphql";
import { useMay } from "./me";
import { exhaustive } from "./records";

export const CHANNEL_STATUSES = exhaustive<EnumOf<"ChannelStatus">>({ ENABLED: true, DISABLED: true, ARCHIVED: true });

const NAMES = graphql(`
  query Names($statuses: [ChannelStatus!]!, $seesChannels: Boolean!) {
    channels(first: 200, statuses: $statuses) @include(if: $seesChannels) { nodes { id name type status models } }
    apiKeys(first: 200) { nodes { id name prefix userID userEmail } }
    projects(first: 200) { nodes { id name } }
  }
`);

export const namesQuery = (seesChannels: boolean) =>
  queryOptions({
    queryKey: ["names"],
    queryFn: ({ signal }) => ask(NAMES, { statuses: [...CHANNEL_STATUSES], seesChannels }, signal),
    staleTime: 30_000,
  });

const EMPTY = { channels: undefined, apiKeys: { nodes: [] }, projects: { nodes: [] } };

export function useNames() {
  const names = useQuery(namesQuery(useMay("channels:read"))).data ?? EMPTY;
  const channels = names.channels?.nodes ?? [];
  const find = (list: readonly { id: string; name: string }[], id: string) =>
    list.find((each) => each.id === id)?.name ?? id;
  return {
    channels,
    keys: names.apiKeys.nodes,
    projects: names.projects.nodes,
    channel: (id: string) => find(channels, id),
    key: (id: string) => find(names.apiKeys.nodes, id),
    user: (id: string) => names.apiKeys.nodes.find((each) => each.userID === id)?.userEmail ?? id,
    project: (id: string) => find(names.projects.nodes, id),
  };
}
