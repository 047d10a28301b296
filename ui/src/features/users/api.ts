/** People and invitations as the admin API has them. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { ask } from "@/api/client";
import { graphql, type ResultOf, type VariablesOf } from "@/api/graphql";
import { FIRST_PAGE, pageAfter } from "@/api/paged";

export const USER = graphql(`
  fragment UserFields on User { id email name role status createdAt lastSignInAt revision identities { issuer } }
`);
export type User = ResultOf<typeof USER>;

const LIST = graphql(
  `
  query Users($after: String) {
    users(first: 100, after: $after) { nodes { ...UserFields } pageInfo { hasNextPage endCursor } }
  }
`,
  [USER],
);
export const usersQuery = infiniteQueryOptions({
  queryKey: ["users", "list"],
  queryFn: ({ signal, pageParam }) => ask(LIST, { after: pageParam }, signal).then((told) => told.users),
  initialPageParam: FIRST_PAGE,
  getNextPageParam: (page) => pageAfter(page),
});

const NAMES = graphql(`query UserNames { users(first: 200) { nodes { id email name role } } }`);
/** Enough to name people, and to choose one. */
export const userNamesQuery = queryOptions({
  queryKey: ["users", "names"],
  queryFn: ({ signal }) => ask(NAMES, {}, signal).then((told) => told.users.nodes),
  staleTime: 30_000,
});

const ONE = graphql(`query User($id: ID!) { user(id: $id) { ...UserFields } }`, [USER]);
export const fetchUser = (id: string) => ask(ONE, { id }).then((told) => told.user);
export const userQuery = (id: string) => queryOptions({ queryKey: ["users", "one", id], queryFn: () => fetchUser(id) });

const CREATE = graphql(`mutation CreateUser($input: CreateUserInput!) { createUser(input: $input) { ...UserFields } }`, [USER]);
export type NewUser = VariablesOf<typeof CREATE>["input"];
export const createUser = (input: NewUser) => ask(CREATE, { input }).then((told) => told.createUser);

const UPDATE = graphql(
  `
  mutation UpdateUser($id: ID!, $revision: Int!, $input: UpdateUserInput!) {
    updateUser(id: $id, revision: $revision, input: $input) { ...UserFields }
  }
`,
  [USER],
);
export type UserInput = VariablesOf<typeof UPDATE>["input"];
export const updateUser = (id: string, revision: number, input: UserInput) =>
  ask(UPDATE, { id, revision, input }).then((told) => told.updateUser);

const SET_PASSWORD = graphql(
  `mutation SetUserPassword($id: ID!, $password: String!) { setUserPassword(id: $id, password: $password) { ...UserFields } }`,
  [USER],
);
export const setUserPassword = (id: string, password: string) => ask(SET_PASSWORD, { id, password });

const DELETE = graphql(`mutation DeleteUser($id: ID!, $revision: Int!) { deleteUser(id: $id, revision: $revision) }`);
export const deleteUser = (user: User) => ask(DELETE, { id: user.id, revision: user.revision });

const INVITATIONS = graphql(`
  query Invitations {
    invitations(first: 200) { nodes { id email role projectID invitedBy createdAt expiresAt } }
  }
`);
export const invitationsQuery = queryOptions({
  queryKey: ["users", "invitations"],
  queryFn: ({ signal }) => ask(INVITATIONS, {}, signal).then((told) => told.invitations.nodes),
});
export type Invitation = ResultOf<typeof INVITATIONS>["invitations"]["nodes"][number];

const INVITE = graphql(`
  mutation InviteUser($input: InviteUserInput!) { inviteUser(input: $input) { token invitation { id email } } }
`);
export type Invite = VariablesOf<typeof INVITE>["input"];
export const inviteUser = (input: Invite) => ask(INVITE, { input }).then((told) => told.inviteUser);
export type Issued = Awaited<ReturnType<typeof inviteUser>>;

const REVOKE = graphql(`mutation RevokeInvitation($id: ID!) { revokeInvitation(id: $id) }`);
export const revokeInvitation = (id: string) => ask(REVOKE, { id });
