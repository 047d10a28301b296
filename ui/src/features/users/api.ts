/** People and invitations as the admin API has them. */
import { queryOptions } from "@tanstack/react-query";
import { ask } from "@/api/client";
import { graphql, type ResultOf, type VariablesOf } from "@/api/graphql";

const USERS = graphql(`
  query Users {
    users(first: 200) { nodes { id email name role status createdAt lastSignInAt revision } }
    invitations(first: 200) { nodes { id email role projectID invitedBy createdAt expiresAt } }
  }
`);
export type User = ResultOf<typeof USERS>["users"]["nodes"][number];
export type Invitation = ResultOf<typeof USERS>["invitations"]["nodes"][number];
export type Role = User["role"];
export const ROLES: readonly Role[] = ["VIEWER", "ADMIN", "OWNER"];

export const usersQuery = queryOptions({ queryKey: ["users", "all"], queryFn: ({ signal }) => ask(USERS, {}, signal) });

const INVITE = graphql(`mutation InviteUser($input: InviteUserInput!) { inviteUser(input: $input) { token invitation { email } } }`);
export const inviteUser = (input: VariablesOf<typeof INVITE>["input"]) => ask(INVITE, { input }).then((told) => told.inviteUser);

const REVOKE = graphql(`mutation RevokeInvitation($id: ID!) { revokeInvitation(id: $id) }`);
export const revokeInvitation = (id: string) => ask(REVOKE, { id });

const UPDATE = graphql(`
  mutation UpdateUser($id: ID!, $revision: Int!, $input: UpdateUserInput!) {
    updateUser(id: $id, revision: $revision, input: $input) { id email role status revision }
  }
`);
export const updateUser = (user: Pick<User, "id" | "revision">, input: VariablesOf<typeof UPDATE>["input"]) =>
  ask(UPDATE, { id: user.id, revision: user.revision, input }).then((told) => told.updateUser);

const SET_PASSWORD = graphql(`mutation SetUserPassword($id: ID!, $password: String!) { setUserPassword(id: $id, password: $password) { id } }`);
export const setPassword = (id: string, password: string) => ask(SET_PASSWORD, { id, password });

const DELETE = graphql(`mutation DeleteUser($id: ID!, $revision: Int!) { deleteUser(id: $id, revision: $revision) }`);
export const deleteUser = (user: User) => ask(DELETE, { id: user.id, revision: user.revision });
