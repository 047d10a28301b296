/** The turn log as the admin API has it. */
import { queryOptions } from "@tanstack/react-query";
import { ask } from "@/api/client";
import { ApiError } from "@/api/errors";
import { fragmentOf, graphql, type VariablesOf } from "@/api/graphql";
import { DETAILS, ROW_FIELDS, TURN_FIELDS } from "./columns";

const ROW = fragmentOf("RowFields", "Turn", ROW_FIELDS);
const TURN = fragmentOf("TurnFields", "Turn", TURN_FIELDS);

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
      nodes { ...TurnFields details { ...DetailFields } }
      pageInfo { hasNextPage endCursor }
    }
  }
`,
  [TURN, DETAILS],
);
export type TurnFilter = NonNullable<VariablesOf<typeof ROWS>["filter"]>;

export const PAGE_SIZE = 200;

export const fetchRows = (filter: TurnFilter, after: string | null) =>
  ask(ROWS, { filter, first: PAGE_SIZE, after }).then((told) => told.turns);

export const fetchTurns = (filter: TurnFilter, after: string | null, signal: AbortSignal) =>
  ask(WHOLE, { filter, first: PAGE_SIZE, after }, signal).then((told) => told.turns);

export const ADDED = graphql(`subscription TurnAdded($filter: TurnFilter) { turnAdded(filter: $filter) { ...RowFields } }`, [ROW]);

const ONE = graphql(`query Turn($id: ID!) { turn(id: $id) { ...TurnFields details { ...DetailFields } } }`, [TURN, DETAILS]);
export const turnQuery = (id: string) =>
  queryOptions({
    queryKey: ["turns", "one", id],
    queryFn: ({ signal }) => ask(ONE, { id }, signal).then((told) => told.turn),
    // A turn is told live before the log has written it.
    retry: (count, error) => error instanceof ApiError && error.code === "NOT_FOUND" && count < 5,
    retryDelay: 300,
  });

const BODIES = graphql(
  `query TurnBodies($id: ID!) { turn(id: $id) { bodies { request response } previous { bodies { request } } } }`,
);
export const bodiesQuery = (id: string) =>
  queryOptions({
    queryKey: ["turns", "bodies", id],
    queryFn: ({ signal }) => ask(BODIES, { id }, signal).then(({ turn }) => turn),
    // What was said is not kept longer than it is looked at.
    gcTime: 0,
  });

const PREVIOUS = graphql(
  `query TurnPrevious($id: ID!) { turn(id: $id) { bodies { request } previous { id bodies { request } } } }`,
);
export const previousQuery = (id: string) =>
  queryOptions({
    queryKey: ["turns", "previous", id],
    queryFn: ({ signal }) => ask(PREVIOUS, { id }, signal).then((told) => told.turn),
    gcTime: 0,
  });
