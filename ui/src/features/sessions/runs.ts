/** Sessions and traces as the admin API has them, also those that ended. */
import { infiniteQueryOptions } from "@tanstack/react-query";
import { ask } from "@/api/client";
import { graphql, type ResultOf, type VariablesOf } from "@/api/graphql";
import { FIRST_PAGE, pageAfter } from "@/api/paged";

const RUN = graphql(`
  fragment RunFields on AgentSession {
    id kind name projectID keyID keyName firstAt lastAt models channelIDs turns continued failures
    bytesReceived bytesSent bytesSaved inputTokens cachedTokens outputTokens costUsd
    connections { id channel connection state }
  }
`);
export type Run = ResultOf<typeof RUN>;
export type Kind = "session" | "trace";

const SESSIONS = graphql(
  `
  query AgentSessions($filter: AgentSessionFilter, $after: String) {
    runs: agentSessions(filter: $filter, first: 100, after: $after) { nodes { ...RunFields } pageInfo { hasNextPage endCursor } }
  }
`,
  [RUN],
);
const TRACES = graphql(
  `
  query Traces($filter: AgentSessionFilter, $after: String) {
    runs: traces(filter: $filter, first: 100, after: $after) { nodes { ...RunFields } pageInfo { hasNextPage endCursor } }
  }
`,
  [RUN],
);
export type RunFilter = NonNullable<VariablesOf<typeof SESSIONS>["filter"]>;

export const runsQuery = (kind: Kind, filter: RunFilter) =>
  infiniteQueryOptions({
    queryKey: ["sessions", kind, filter],
    queryFn: ({ pageParam, signal }) =>
      ask(kind === "session" ? SESSIONS : TRACES, { filter, after: pageParam }, signal).then((answer) => answer.runs),
    initialPageParam: FIRST_PAGE,
    getNextPageParam: (page) => pageAfter(page),
    placeholderData: (before) => before,
  });

const TURN = graphql(`
  fragment RunTurnFields on Turn {
    id startedAt session continuity reason changed outcome errorCode modelAsked channelName keyName
    firstEventMs totalMs bytesReceived bytesSent inputTokens cachedTokens outputTokens costUsd
  }
`);
export type RunTurn = ResultOf<typeof TURN>;

const SESSION = graphql(
  `
  query AgentSession($id: ID!, $after: String) {
    run: agentSession(id: $id) {
      ...RunFields
      turnLog(first: 200, after: $after) { nodes { ...RunTurnFields } pageInfo { hasNextPage endCursor } }
    }
  }
`,
  [RUN, TURN],
);
const TRACE = graphql(
  `
  query Trace($id: ID!, $after: String) {
    run: trace(id: $id) {
      ...RunFields
      turnLog(first: 200, after: $after) { nodes { ...RunTurnFields } pageInfo { hasNextPage endCursor } }
    }
  }
`,
  [RUN, TURN],
);

/** A run with its turns, the newest first, in parts. */
export const runQuery = (kind: Kind, id: string) =>
  infiniteQueryOptions({
    queryKey: ["sessions", "run", kind, id],
    queryFn: ({ pageParam, signal }) =>
      ask(kind === "session" ? SESSION : TRACE, { id, after: pageParam }, signal).then((answer) => answer.run),
    initialPageParam: FIRST_PAGE,
    getNextPageParam: ({ turnLog }) => pageAfter(turnLog),
    refetchInterval: (query) => ((query.state.data?.pages.at(0)?.connections.length ?? 0) > 0 ? 5_000 : false),
  });

/** What the address of the list says. */
export function filterOf(search: Partial<Record<string, string>>, now: number): RunFilter {
  const hours = Number(search["hours"]);
  return {
    keyID: search["key"] ?? null,
    model: search["model"] ?? null,
    channelID: search["channel"] ?? null,
    projectID: search["project"] ?? null,
    name: search["text"] ?? null,
    live: search["state"] === "live" ? true : search["state"] === "ended" ? false : null,
    since: hours > 0 ? new Date(now - hours * 3_600_000).toISOString() : null,
  };
}

