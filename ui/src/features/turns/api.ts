/** The turn log as the admin API has it. */
import { queryOptions } from "@tanstack/react-query";
import { ask } from "@/api/client";
import { ApiError } from "@/api/errors";
import { graphql, type ResultOf, type VariablesOf } from "@/api/graphql";

export const TURN = graphql(`
  fragment TurnFields on Turn {
    id requestID projectID keyID keyName session channelID channelName apiFormat transport continuity reason
    connection modelAsked modelServed streams outcome status errorCode attempts startedAt queueMs firstEventMs
    totalMs bytesReceived bytesSent inputTokens cachedTokens outputTokens reasoningTokens costUsd
    details {
      message
      headers { name value }
      attempts { channelID channelName transport trouble status code message endedMs }
    }
  }
`);
export type Turn = ResultOf<typeof TURN>;

/** What a line of the log shows: a long one is held in memory, so it is no more than that. */
const ROW = graphql(`
  fragment RowFields on Turn {
    id startedAt keyName channelName modelAsked transport continuity reason outcome errorCode
    bytesReceived bytesSent inputTokens cachedTokens firstEventMs totalMs costUsd
  }
`);
export type Row = ResultOf<typeof ROW>;

const ROWS = graphql(
  `
  query TurnRows($filter: TurnFilter, $first: Int!, $after: String) {
    turns(filter: $filter, first: $first, after: $after) {
      nodes { ...RowFields }
      pageInfo { hasNextPage endCursor }
    }
  }
`,
  [ROW],
);
const WHOLE = graphql(
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
export type TurnFilter = NonNullable<VariablesOf<typeof ROWS>["filter"]>;

export const PAGE_SIZE = 200;

export const fetchRows = (filter: TurnFilter, after: string | null) =>
  ask(ROWS, { filter, first: PAGE_SIZE, after }).then((told) => told.turns);

export const fetchTurns = (filter: TurnFilter, after: string | null, signal: AbortSignal) =>
  ask(WHOLE, { filter, first: PAGE_SIZE, after }, signal).then((told) => told.turns);

export const ADDED = graphql(`subscription TurnAdded($filter: TurnFilter) { turnAdded(filter: $filter) { ...RowFields } }`, [ROW]);

const ONE = graphql(`query Turn($id: ID!) { turn(id: $id) { ...TurnFields } }`, [TURN]);
export const turnQuery = (id: string) =>
  queryOptions({
    queryKey: ["turns", "one", id],
    queryFn: ({ signal }) => ask(ONE, { id }, signal).then((told) => told.turn),
    // A turn is told live before the log has written it.
    retry: (count, error) => error instanceof ApiError && error.code === "NOT_FOUND" && count < 5,
    retryDelay: 300,
  });

const BODIES = graphql(`query TurnBodies($id: ID!) { turn(id: $id) { bodies { request response } } }`);
export const bodiesQuery = (id: string) =>
  queryOptions({
    queryKey: ["turns", "bodies", id],
    queryFn: ({ signal }) => ask(BODIES, { id }, signal).then((told) => told.turn.bodies),
    // What was said is not kept longer than it is looked at.
    gcTime: 0,
  });
