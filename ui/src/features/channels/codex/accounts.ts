/** Codex accounts of a channel, and how somebody signs one in. */
import { queryOptions } from "@tanstack/react-query";
import { ask } from "@/api/client";
import { graphql, type ResultOf } from "@/api/graphql";

const QUOTA = graphql(`
  fragment QuotaFields on Quota {
    plan limitReached creditsLeft blockedUntil seenAt
    primary { usedPercent minutes resetsAt }
    secondary { usedPercent minutes resetsAt }
  }
`);
export type Quota = ResultOf<typeof QUOTA>;
export type Window = NonNullable<Quota["primary"]>;

const ACCOUNT = graphql(
  `
  fragment AccountFields on Account {
    id email accountID plan status problem expiresAt refreshedAt revision
    quota { ...QuotaFields }
  }
`,
  [QUOTA],
);
export type Account = ResultOf<typeof ACCOUNT>;

const SIGN_IN = graphql(`
  fragment SignInFields on CodexSignIn { id method status url userCode expiresAt pollSeconds error }
`);
export type SignIn = ResultOf<typeof SIGN_IN>;

const LIST = graphql(`query Accounts($id: ID) { accounts(channelID: $id) { ...AccountFields } }`, [ACCOUNT]);
export const accountsQuery = (channelID: string) =>
  queryOptions({
    queryKey: ["accounts", channelID],
    queryFn: ({ signal }) => ask(LIST, { id: channelID }, signal).then((answer) => answer.accounts),
    refetchInterval: 30_000,
  });

const START = graphql(
  `
  mutation StartCodexSignIn($id: ID!, $method: CodexSignInMethod!) {
    startCodexSignIn(channelID: $id, method: $method) { ...SignInFields }
  }
`,
  [SIGN_IN],
);
export const startSignIn = (id: string, method: SignIn["method"]) =>
  ask(START, { id, method }).then((answer) => answer.startCodexSignIn);

const ONE = graphql(`query CodexSignIn($id: ID!) { codexSignIn(id: $id) { ...SignInFields } }`, [SIGN_IN]);
export const signInQuery = (signIn: SignIn) =>
  queryOptions({
    queryKey: ["codex-sign-in", signIn.id],
    queryFn: () => ask(ONE, { id: signIn.id }).then((answer) => answer.codexSignIn),
    initialData: signIn,
    staleTime: 0,
    refetchInterval: (query) => (query.state.data?.status === "PENDING" ? query.state.data.pollSeconds * 1_000 : false),
  });

const FINISH = graphql(
  `
  mutation FinishCodexSignIn($id: ID!, $url: String!) {
    finishCodexSignIn(id: $id, callbackURL: $url) { ...SignInFields }
  }
`,
  [SIGN_IN],
);
export const finishSignIn = (id: string, callbackURL: string) =>
  ask(FINISH, { id, url: callbackURL }).then((answer) => answer.finishCodexSignIn);

const CANCEL = graphql(`mutation CancelCodexSignIn($id: ID!) { cancelCodexSignIn(id: $id) }`);
export const cancelSignIn = (id: string) => ask(CANCEL, { id });

const IMPORT = graphql(`mutation ImportCodexAuth($id: ID!, $auth: String!) { importCodexAuth(channelID: $id, authJSON: $auth) { id } }`);
export const importAuth = (channelID: string, authJSON: string) => ask(IMPORT, { id: channelID, auth: authJSON });

const SET_STATUS = graphql(`
  mutation UpdateAccountStatus($id: ID!, $revision: Int!, $status: AccountStatus!) {
    updateAccountStatus(id: $id, revision: $revision, status: $status) { id }
  }
`);
export const setAccountStatus = (account: Account, status: Account["status"]) =>
  ask(SET_STATUS, { id: account.id, revision: account.revision, status });

const REFRESH = graphql(`mutation RefreshAccount($id: ID!) { refreshAccount(id: $id) { id } }`);
export const refreshAccount = (id: string) => ask(REFRESH, { id });

const REMOVE = graphql(`mutation RemoveAccount($id: ID!, $revision: Int!) { removeAccount(id: $id, revision: $revision) }`);
export const removeAccount = (account: Account) => ask(REMOVE, { id: account.id, revision: account.revision });
