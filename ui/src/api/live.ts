/** Subscriptions over one WebSocket, which comes back by itself; pages are told how it stands. */
import { type DocumentNode, print } from "graphql";
import type { TadaDocumentNode } from "gql.tada";
import { type Client, createClient } from "graphql-ws";
import { useEffect, useRef, useSyncExternalStore } from "react";
import { comeBack } from "./client";
import { ApiError } from "./errors";
import { socketURL } from "./place";
import { gone, here } from "./reach";

export type Wire = "connecting" | "open" | "lost";

const LONGEST_PAUSE = 3_000;
const AGAIN_AFTER = 700;
let client: Client | undefined;
let state: Wire = "connecting";
const watchers = new Set<() => void>();

function become(next: Wire): void {
  state = next;
  for (const watch of watchers) watch();
}

function connected(): Client {
  client ??= createClient({
    url: socketURL("admin/graphql"),
    lazyCloseTimeout: 3_000,
    keepAlive: 15_000,
    retryAttempts: Number.MAX_SAFE_INTEGER,
    shouldRetry: () => true,
    retryWait: (retries) =>
      new Promise((resolve) => setTimeout(resolve, Math.min(LONGEST_PAUSE, 250 * 2 ** Math.min(retries, 6)))),
    on: {
      connected: () => {
        here();
        become("open");
      },
      closed: (event) => {
        const isOurs = (event as CloseEvent).code === 1000;
        become(isOurs ? "connecting" : "lost");
        if (!isOurs) gone();
      },
    },
  });
  return client;
}

/** Ends the connection: the next subscription opens one with the cookie of then. */
export function hangUp(): void {
  void client?.dispose();
  client = undefined;
  state = "connecting";
}

export function useWire(): Wire {
  return useSyncExternalStore(
    (watch) => {
      watchers.add(watch);
      return () => watchers.delete(watch);
    },
    () => state,
  );
}

/** Listens while the component stands, whatever becomes of the connection or the sign-in meanwhile. */
export function useSubscription<R, V>(
  document: TadaDocumentNode<R, V>,
  variables: V,
  onValue: (value: R) => void,
  onFailure?: (error: unknown) => void,
): void {
  const listener = useRef({ onValue, onFailure });
  useEffect(() => {
    listener.current = { onValue, onFailure };
  });
  const key = JSON.stringify(variables);
  useEffect(() => {
    let leave: () => void = () => undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isLeft = false;
    const listen = () => {
      if (isLeft) return;
      leave = connected().subscribe<R>(
        { query: print(document as unknown as DocumentNode), variables: JSON.parse(key) as Record<string, unknown> },
        {
          next: (result) => {
            if (state !== "open") become("open");
            if (result.data) listener.current.onValue(result.data);
            if (result.errors) ended(result.errors);
          },
          error: ended,
          // A gateway that stops completes what it was asked; the next one is asked anew.
          complete: () => again(),
        },
      );
    };
    const again = () => {
      clearTimeout(timer);
      if (!isLeft) timer = setTimeout(listen, AGAIN_AFTER);
    };
    const ended = (error: unknown) => {
      const failure = failureOf(error);
      if (failure?.code === "UNAUTHENTICATED") {
        comeBack().then(again, listener.current.onFailure);
        return;
      }
      if (failure !== undefined) listener.current.onFailure?.(failure);
      again();
    };
    listen();
    return () => {
      isLeft = true;
      clearTimeout(timer);
      leave();
    };
  }, [document, key]);
}

/** What the gateway told; nothing for a connection that broke, which the page's bar tells of. */
function failureOf(error: unknown): ApiError | undefined {
  const first = Array.isArray(error) ? (error[0] as { message: string; extensions?: Record<string, unknown> }) : undefined;
  return first && new ApiError(String(first.extensions?.["code"] ?? "INTERNAL"), first.message, first.extensions);
}
