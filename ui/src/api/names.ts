/** Names for ids: lists that many pages need, asked once. */
import { queryOptions, useQuery } from "@tanstack/react-query";
import { ask } from "./client";
import { type EnumOf, graphql } from "./graphql";
import { exhaustive } from "./records";

export const CHANNEL_STATUSES = exhaustive<EnumOf<"ChannelStatus">>({ ENABLED: true, DISABLED: true, ARCHIVED: true });

const NAMES = graphql(`
  query Names($statuses: [ChannelStatus!]!) {
    channels(first: 200, statuses: $statuses) { nodes { id name type status models } }
    apiKeys(first: 200) { nodes { id name prefix } }
    projects(first: 200) { nodes { id name } }
  }
`);

export const namesQuery = queryOptions({
  queryKey: ["names"],
  queryFn: ({ signal }) => ask(NAMES, { statuses: [...CHANNEL_STATUSES] }, signal),
  staleTime: 30_000,
});

const EMPTY = { channels: { nodes: [] }, apiKeys: { nodes: [] }, projects: { nodes: [] } };

export function useNames() {
  const names = useQuery(namesQuery).data ?? EMPTY;
  const find = (list: readonly { id: string; name: string }[], id: string) =>
    list.find((each) => each.id === id)?.name ?? id;
  return {
    channels: names.channels.nodes,
    keys: names.apiKeys.nodes,
    projects: names.projects.nodes,
    channel: (id: string) => find(names.channels.nodes, id),
    key: (id: string) => find(names.apiKeys.nodes, id),
    project: (id: string) => find(names.projects.nodes, id),
  };
}
