/** What is asked of one live connection, and done with it; the connections themselves are told live. */
import { queryOptions } from "@tanstack/react-query";
import { ask } from "@/api/client";
import { graphql, type ResultOf } from "@/api/graphql";
import type { LiveSession } from "./live";

const TURNS = graphql(`
  query SessionTurns($connection: Int64!, $node: String!, $since: DateTime!) {
    turns(first: 100, filter: { connection: $connection, node: $node, since: $since }) {
      nodes {
        id startedAt continuity reason outcome errorCode modelServed modelAsked
        queueMs firstEventMs totalMs bytesReceived bytesSent inputTokens cachedTokens outputTokens
      }
    }
  }
`);
export type SessionTurn = ResultOf<typeof TURNS>["turns"]["nodes"][number];

/** The turns of a connection, the newest first. */
export const turnsQuery = (session: LiveSession) => {
  const { id, connection, node } = session;
  // Numbers of connections begin anew with their node; none is older than this one.
  const since = new Date(session.bornAt - 5_000).toISOString();
  return queryOptions({
    queryKey: ["sessions", id, since, session.turns, session.state],
    queryFn: ({ signal }) => ask(TURNS, { connection, node, since }, signal).then((answer) => answer.turns.nodes),
    placeholderData: (before) => before,
    // The log writes what ended about a second later.
    refetchInterval: 3_000,
  });
};

const CLOSE = graphql(`mutation CloseSession($id: ID!) { closeSession(id: $id) }`);
export const closeSession = (id: string) => ask(CLOSE, { id });
