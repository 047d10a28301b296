/** The turn log as the admin API has it. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { ask } from "@/api/client";
import { ApiError } from "@/api/errors";
import { graphql, type ResultOf, type VariablesOf } from "@/api/graphql";

export const TURN = graphql(`
  fragment TurnFields on Turn {
    id requestID projectID keyID keyName session channelID channelName apiFormat transport continuity reason
    connection modelAsked modelServed streams outcome status errorCode attempts startedAt queueMs firstEventMs
    totalMs bytesReceived bytesSent inputTokens cachedTokens outputTokens reasoningTokens costUsd
  }
`);
export type Turn = ResultOf<typeof TURN>;

const PAGE = graphql(
  `
  query Turns($filter: TurnFilter, $first: Int!, $after: String) {
    turns(filter: $filter, first: $first, after: $after) {
      nodes { ...TurnFields }
      pageInfo { hasNextPage endCursor }
    }
  }
`,
  [TURN],
);
export type TurnFilter = NonNullable<VariablesOf<typeof PAGE>["filter"]>;

export const PAGE_SIZE = 200;

export const fetchPage = (filter: TurnFilter, after: string | null, signal?: AbortSignal) =>
  ask(PAGE, { filter, first: PAGE_SIZE, after }, signal).then((told) => told.turns);

export const turnsQuery = (filter: TurnFilter) =>
  infiniteQueryOptions({
    queryKey: ["turns", "log", filter],
    queryFn: ({ pageParam, signal }) => fetchPage(filter, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => (last.pageInfo.hasNextPage ? last.pageInfo.endCursor : null),
    // What was read of a log does not change; comparing 100,000 rows again would cost frames.
    structuralSharing: false,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  });

const ONE = graphql(`query Turn($id: ID!) { turn(id: $id) { ...TurnFields } }`, [TURN]);
export const turnQuery = (id: string) =>
  queryOptions({
    queryKey: ["turns", "one", id],
    queryFn: ({ signal }) => ask(ONE, { id }, signal),
    // A turn is told live before the log has written it.
    retry: (count, error) => error instanceof ApiError && error.code === "NOT_FOUND" && count < 5,
    retryDelay: 300,
  });

const BODIES = graphql(`query TurnBodies($id: ID!) { turn(id: $id) { bodies { request response } } }`);
export const bodiesQuery = (id: string) =>
  queryOptions({
    queryKey: ["turns", "bodies", id],
    queryFn: ({ signal }) => ask(BODIES, { id }, signal).then((told) => told.turn.bodies),
  });

export const ADDED = graphql(`subscription TurnAdded($filter: TurnFilter) { turnAdded(filter: $filter) { id } }`);
