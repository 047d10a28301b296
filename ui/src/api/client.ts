/** Queries and mutations: one POST each, with the cookie, and the header no other page can add. */
import { type DocumentNode, print } from "graphql";
import type { TadaDocumentNode } from "gql.tada";
import { ApiError, isUnauthenticated } from "./errors";
import { urlOf } from "./place";
import { asked, gone, here } from "./reach";

interface Answer {
  data?: unknown;
  errors?: { message: string; extensions?: Record<string, unknown> }[];
}

/** Lets somebody whose sign-in has ended sign in again, over the page as it is; rejects if they leave. */
export type SignInAgain = () => Promise<void>;
let signInAgain: SignInAgain | undefined;

export function onSignInEnded(listener: SignInAgain | undefined): void {
  signInAgain = listener;
}

/** Waits until somebody whose sign-in has ended is signed in again. */
export function comeBack(): Promise<void> {
  return signInAgain?.() ?? Promise.reject(new ApiError("UNAUTHENTICATED", "Sign in first."));
}

/** Asks; where the sign-in has ended it waits for a new one and asks again, so nothing is lost. */
export async function ask<R, V>(
  document: TadaDocumentNode<R, V>,
  variables: V,
  signal?: AbortSignal,
): Promise<R> {
  const query = print(document as unknown as DocumentNode);
  try {
    return (await post(query, variables, signal)) as R;
  } catch (error) {
    if (!isUnauthenticated(error) || signInAgain === undefined) throw error;
    await comeBack();
    return (await post(query, variables, signal)) as R;
  }
}

/** One request, whatever becomes of it. */
export async function askOnce<R, V>(document: TadaDocumentNode<R, V>, variables: V): Promise<R> {
  return (await post(print(document as unknown as DocumentNode), variables)) as R;
}

async function post(query: string, variables: unknown, signal?: AbortSignal): Promise<unknown> {
  const ended = asked();
  try {
    const answer = await read(await sent(query, variables, signal));
    here();
    const [first] = answer.errors ?? [];
    if (first === undefined) return answer.data;
    const extensions = first.extensions ?? {};
    throw new ApiError(codeOf(extensions), first.message, extensions);
  } catch (error) {
    if (error instanceof ApiError && error.code === "OFFLINE") gone();
    throw error;
  } finally {
    ended();
  }
}

/** A page of another origin is refused whatever the role of its user. */
function codeOf(extensions: Record<string, unknown>): string {
  return extensions["reason"] === "origin" ? "ORIGIN" : String(extensions["code"] ?? "INTERNAL");
}

async function sent(query: string, variables: unknown, signal?: AbortSignal): Promise<Response> {
  try {
    return await fetch(urlOf("admin/graphql"), {
      method: "POST",
      headers: { "content-type": "application/json", "x-longwire-csrf": "1" },
      body: JSON.stringify({ query, variables }),
      signal: signal ?? null,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError("OFFLINE", "The gateway does not answer.");
  }
}

async function read(response: Response): Promise<Answer> {
  try {
    const answer = (await response.json()) as Answer & { error?: { message: string } };
    if (answer.data !== undefined || answer.errors !== undefined) return answer;
    throw new ApiError("HTTP", answer.error?.message ?? `The gateway answered ${response.status}.`);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError("OFFLINE", `No answer of the gateway came back (${response.status}).`);
  }
}
