/** What the names of models are, and where a turn that asks for one goes. */
import { queryOptions, useQuery } from "@tanstack/react-query";
import { ask } from "./client";
import { graphql, type ResultOf, type VariablesOf } from "./graphql";

const NAMES = graphql(`query ModelNames($channel: ID) { modelNames(channelID: $channel) }`);

const namesQuery = (channel: string | null) =>
  queryOptions({
    queryKey: ["models", "names", channel],
    queryFn: ({ signal }) => ask(NAMES, { channel }, signal).then((found) => found.modelNames),
    staleTime: 30_000,
  });

const NONE: readonly string[] = [];

/** What `GET /v1/models` lists, or what one channel serves; nothing until it is known. */
export function useModelNames(channel: string | null = null): readonly string[] {
  return useQuery(namesQuery(channel)).data ?? NONE;
}

const ROUTE = graphql(`
  fragment RouteFields on RouteExplanation {
    problem isAsOfThen
    steps { channelID channelName accountID model isAccepted reason detail seconds }
  }
`);
export type Route = ResultOf<typeof ROUTE>;

const EXPLAIN = graphql(
  `
  query ExplainRoute($input: RouteRequest!, $key: ID, $draft: ModelInput) {
    explainRoute(input: $input, keyID: $key, draft: $draft) { ...RouteFields }
  }
`,
  [ROUTE],
);
export type RouteRequest = VariablesOf<typeof EXPLAIN>["input"];
export type RouteDraft = VariablesOf<typeof EXPLAIN>["draft"];

/** Where a turn would go; with a draft in the place of the model of its name. */
export const routeQuery = (input: RouteRequest, key: string, draft: RouteDraft) =>
  queryOptions({
    queryKey: ["models", "route", input, key, draft],
    queryFn: ({ signal }) =>
      ask(EXPLAIN, { input, key: key === "" ? null : key, draft: draft ?? null }, signal).then((found) => found.explainRoute),
    placeholderData: (before) => before,
    retry: false,
  });

const OF_TURN = graphql(`query RouteOfTurn($id: ID!) { turn(id: $id) { route { ...RouteFields } } }`, [ROUTE]);
export const routeOfTurnQuery = (id: string) =>
  queryOptions({
    queryKey: ["turns", "route", id],
    queryFn: ({ signal }) => ask(OF_TURN, { id }, signal).then((found) => found.turn.route),
  });
