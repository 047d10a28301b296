/** Who is signed in, and what they may do. */
import { queryOptions, useSuspenseQuery } from "@tanstack/react-query";
import { ask, askOnce } from "./client";
import { graphql } from "./graphql";

const ME = graphql(`
  query Me {
    setupIsNeeded
    me {
      user { id email name role revision hasPassword }
      permissions
      projectIDs
    }
  }
`);

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: () => askOnce(ME, {}),
  staleTime: 60_000,
});

const VERSION = graphql(`query Version { version }`);
export const versionQuery = queryOptions({
  queryKey: ["version"],
  queryFn: ({ signal }) => ask(VERSION, {}, signal),
  staleTime: Number.POSITIVE_INFINITY,
});

const SIGN_IN = graphql(`
  mutation SignIn($email: String!, $password: String!) {
    signIn(input: { email: $email, password: $password }) { id }
  }
`);
export const signIn = (email: string, password: string) => askOnce(SIGN_IN, { email, password });

const OPTIONS = graphql(`query SignInOptions { signInOptions { password singleSignOn { label } } }`);
export const signInOptionsQuery = queryOptions({
  queryKey: ["sign-in-options"],
  queryFn: ({ signal }) => ask(OPTIONS, {}, signal).then((answer) => answer.signInOptions),
});

const BEGIN = graphql(`
  mutation BeginSingleSignOn($to: String!) { beginSingleSignOn(to: $to) { url problem } }
`);
export const beginSingleSignOn = (to: string) => askOnce(BEGIN, { to }).then((answer) => answer.beginSingleSignOn);

const SIGN_OUT_URL = graphql(`query SignOutURL { signOutURL }`);
const SIGN_OUT = graphql(`mutation SignOut { signOut }`);
/** Sign out; where one has to go then to sign out at the provider, too. */
export async function signOut(): Promise<string | null> {
  const { signOutURL } = await askOnce(SIGN_OUT_URL, {});
  await askOnce(SIGN_OUT, {});
  return signOutURL;
}

const JOIN = graphql(`
  mutation Join($input: JoinInput!) {
    join(input: $input) { id email }
  }
`);
export const join = (input: { token: string; email: string; password: string; name: string }) =>
  askOnce(JOIN, { input });

/** Below the shell somebody is signed in. */
export function useMe() {
  const { data } = useSuspenseQuery(meQuery);
  if (data.me === null) throw new Error("nobody is signed in");
  return data.me;
}

/** Whether who is signed in may do something, as `channels:write`. */
export function useMay(permission: string): boolean {
  return useMe().permissions.includes(permission);
}
