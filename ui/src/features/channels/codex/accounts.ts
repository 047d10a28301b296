/**
 * Codex accounts of a channel. These operations are texts: a gateway without accounts answers
 * INVALID_QUERY, and then the page says so.
 */
import { queryOptions } from "@tanstack/react-query";
import { askText } from "@/api/client";
import { ApiError } from "@/api/errors";

export interface Window {
  usedPercent: number;
  minutes: number;
  resetsAt: string | null;
}

export interface Quota {
  plan: string | null;
  primary: Window | null;
  secondary: Window | null;
  limitReached: boolean;
  creditsLeft: string;
  blockedUntil: string | null;
  seenAt: string | null;
}

export interface Account {
  id: string;
  email: string;
  accountID: string;
  plan: string;
  status: "ACTIVE" | "DISABLED" | "SIGN_IN_NEEDED";
  problem: string;
  expiresAt: string | null;
  refreshedAt: string | null;
  quota: Quota | null;
  revision: number;
}

export interface SignIn {
  id: string;
  method: "BROWSER" | "DEVICE";
  status: "PENDING" | "DONE" | "EXPIRED" | "FAILED";
  url: string;
  userCode: string;
  expiresAt: string;
  pollSeconds: number;
  error: string;
}

const WINDOW = "usedPercent minutes resetsAt";
const ACCOUNT = `id email accountID plan status problem expiresAt refreshedAt revision
  quota { plan primary { ${WINDOW} } secondary { ${WINDOW} } limitReached creditsLeft blockedUntil seenAt }`;
const SIGN_IN = "id method status url userCode expiresAt pollSeconds error";

export const accountsQuery = (channelID: string) =>
  queryOptions({
    queryKey: ["accounts", channelID],
    queryFn: async ({ signal }): Promise<Account[] | null> => {
      try {
        const query = `query Accounts($id: ID) { accounts(channelID: $id) { ${ACCOUNT} } }`;
        return ((await askText(query, { id: channelID }, signal)) as { accounts: Account[] }).accounts;
      } catch (error) {
        if (error instanceof ApiError && error.code === "INVALID_QUERY") return null;
        throw error;
      }
    },
    refetchInterval: 30_000,
  });

async function change<T>(query: string, variables: object): Promise<T> {
  const told = (await askText(query, variables)) as Record<string, T>;
  return Object.values(told)[0] as T;
}

export const startSignIn = (id: string, method: SignIn["method"]) =>
  change<SignIn>(
    `mutation StartCodexSignIn($id: ID!) { startCodexSignIn(channelID: $id, method: ${method}) { ${SIGN_IN} } }`,
    { id },
  );

export const signInQuery = (signIn: SignIn) =>
  queryOptions({
    queryKey: ["codex-sign-in", signIn.id],
    queryFn: () => change<SignIn>(`query CodexSignIn($id: ID!) { codexSignIn(id: $id) { ${SIGN_IN} } }`, { id: signIn.id }),
    initialData: signIn,
    staleTime: 0,
    refetchInterval: (query) => (query.state.data?.status === "PENDING" ? query.state.data.pollSeconds * 1_000 : false),
  });

export const finishSignIn = (id: string, callbackURL: string) =>
  change<SignIn>(
    `mutation FinishCodexSignIn($id: ID!, $url: String!) { finishCodexSignIn(id: $id, callbackURL: $url) { ${SIGN_IN} } }`,
    { id, url: callbackURL },
  );

export const cancelSignIn = (id: string) =>
  change<boolean>(`mutation CancelCodexSignIn($id: ID!) { cancelCodexSignIn(id: $id) }`, { id });

export const importAuth = (channelID: string, authJSON: string) =>
  change<Account>(
    `mutation ImportCodexAuth($id: ID!, $auth: String!) { importCodexAuth(channelID: $id, authJSON: $auth) { ${ACCOUNT} } }`,
    { id: channelID, auth: authJSON },
  );

export const setAccountStatus = (account: Account, status: "ACTIVE" | "DISABLED") =>
  change<Account>(
    `mutation UpdateAccountStatus($id: ID!, $revision: Int!) {
      updateAccountStatus(id: $id, revision: $revision, status: ${status}) { ${ACCOUNT} }
    }`,
    { id: account.id, revision: account.revision },
  );

export const refreshAccount = (id: string) =>
  change<Account>(`mutation RefreshAccount($id: ID!) { refreshAccount(id: $id) { ${ACCOUNT} } }`, { id });

export const removeAccount = (account: Account) =>
  change<boolean>(`mutation RemoveAccount($id: ID!, $revision: Int!) { removeAccount(id: $id, revision: $revision) }`, {
    id: account.id,
    revision: account.revision,
  });
