/** API keys as the admin API has them. */
import { queryOptions } from "@tanstack/react-query";
import { ask } from "@/api/client";
import { graphql, type ResultOf, type VariablesOf } from "@/api/graphql";

export const KEY = graphql(`
  fragment KeyFields on APIKey {
    id name prefix projectID userID userEmail models channels keepsBodies showsReasoning status managedBy expiresAt previousUntil
    createdAt lastUsedAt revision
    rates { requestsPerMinute tokensPerMinute concurrentTurns }
    budgets { tokensPerDay tokensPerMonth costPerDay costPerMonth }
  }
`);
export type Key = ResultOf<typeof KEY>;

const LIST = graphql(`query APIKeys($search: String!) { apiKeys(first: 200, search: $search) { nodes { ...KeyFields } } }`, [KEY]);
export const keysQuery = (search: string) =>
  queryOptions({
    queryKey: ["keys", "list", search],
    queryFn: ({ signal }) => ask(LIST, { search }, signal),
    placeholderData: (before) => before,
  });

const ONE = graphql(`query APIKey($id: ID!) { apiKey(id: $id) { ...KeyFields } }`, [KEY]);
export const fetchKey = (id: string) => ask(ONE, { id }).then((told) => told.apiKey);

const CREATE = graphql(
  `mutation CreateAPIKey($input: APIKeyInput!) { createAPIKey(input: $input) { secret apiKey { ...KeyFields } } }`,
  [KEY],
);
export type KeyInput = VariablesOf<typeof CREATE>["input"];
export const createKey = (input: KeyInput) => ask(CREATE, { input }).then((told) => told.createAPIKey);
export type Issued = Awaited<ReturnType<typeof createKey>>;

const UPDATE = graphql(
  `
  mutation UpdateAPIKey($id: ID!, $revision: Int!, $input: APIKeyInput!) {
    updateAPIKey(id: $id, revision: $revision, input: $input) { ...KeyFields }
  }
`,
  [KEY],
);
export const updateKey = (id: string, revision: number, input: KeyInput) =>
  ask(UPDATE, { id, revision, input }).then((told) => told.updateAPIKey);

const ROTATE = graphql(
  `
  mutation RotateAPIKey($id: ID!, $revision: Int!, $overlap: Int!) {
    rotateAPIKey(id: $id, revision: $revision, overlap: $overlap) { secret apiKey { ...KeyFields } }
  }
`,
  [KEY],
);
export const rotateKey = (key: Key, overlap: number) =>
  ask(ROTATE, { id: key.id, revision: key.revision, overlap }).then((told) => told.rotateAPIKey);

const SET_STATUS = graphql(
  `
  mutation SetAPIKeyStatus($id: ID!, $revision: Int!, $status: APIKeyStatus!) {
    updateAPIKeyStatus(id: $id, revision: $revision, status: $status) { ...KeyFields }
  }
`,
  [KEY],
);
export const setKeyStatus = (key: Key, status: Key["status"]) =>
  ask(SET_STATUS, { id: key.id, revision: key.revision, status }).then((told) => told.updateAPIKeyStatus);

const REVOKE = graphql(`mutation RevokeAPIKey($id: ID!, $revision: Int!) { revokeAPIKey(id: $id, revision: $revision) { ...KeyFields } }`, [KEY]);
export const revokeKey = (key: Key) => ask(REVOKE, { id: key.id, revision: key.revision });

const DELETE = graphql(`mutation DeleteAPIKey($id: ID!, $revision: Int!) { deleteAPIKey(id: $id, revision: $revision) }`);
export const deleteKey = (key: Key) => ask(DELETE, { id: key.id, revision: key.revision });

const SPENT = graphql(`
  query Spent($month: DateTime!, $until: DateTime!) {
    usage(since: $month, until: $until, span: DAY, by: KEY) {
      series { start name sums { inputTokens outputTokens costUsd } }
    }
  }
`);

export interface Spent {
  tokensPerDay: number;
  tokensPerMonth: number;
  costPerDay: number;
  costPerMonth: number;
}

const NOTHING: Spent = { tokensPerDay: 0, tokensPerMonth: 0, costPerDay: 0, costPerMonth: 0 };
const DAY = 86_400_000;

/** What each key spent in this UTC day and month, by its id. */
export const spentQuery = (now: number) => {
  const today = now - (now % DAY);
  const at = new Date(now);
  const month = Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), 1);
  const variables = { month: new Date(month).toISOString(), until: new Date(today + DAY).toISOString() };
  return queryOptions({
    queryKey: ["keys", "spent", variables],
    queryFn: async ({ signal }) => {
      const told = await ask(SPENT, variables, signal);
      const spent = new Map<string, Spent>();
      for (const { start, name, sums } of told.usage.series) {
        const before = spent.get(name) ?? NOTHING;
        const tokens = sums.inputTokens + sums.outputTokens;
        const isToday = Date.parse(start) >= today;
        spent.set(name, {
          tokensPerDay: before.tokensPerDay + (isToday ? tokens : 0),
          tokensPerMonth: before.tokensPerMonth + tokens,
          costPerDay: before.costPerDay + (isToday ? sums.costUsd : 0),
          costPerMonth: before.costPerMonth + sums.costUsd,
        });
      }
      return spent;
    },
    refetchInterval: 30_000,
  });
};
