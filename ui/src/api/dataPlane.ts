/** The data plane, as any client uses it: one turn, its events as they come, how it travelled. */
import { ApiError } from "./errors";
import { type DataEvent, events } from "./events";
import { urlOf } from "./place";

export interface Travelled {
  requestID: string;
  channel: string;
  transport: string;
  continuity: string;
  reason: string;
  /** In which the upstream was asked. */
  api: string;
  /** Members of the request that were left out, joined by commas. */
  dropped: string;
}

export interface SendOptions {
  /** Of the route, below the base path. */
  path?: string;
  headers?: Record<string, string>;
  session?: string;
  signal?: AbortSignal;
}

/** Sends a turn that asks for a stream, and gives each event. Resolves when the answer ended, with how it travelled. */
export async function sendTurn(
  key: string,
  body: object,
  listen: { onHeaders?: (travelled: Travelled) => void; onEvent: (event: DataEvent) => void },
  options: SendOptions = {},
): Promise<Travelled> {
  const response = await fetch(urlOf(options.path ?? "v1/responses"), {
    method: "POST",
    headers: {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      ...options.headers,
      ...(options.session === undefined ? {} : { "session-id": options.session }),
    },
    body: JSON.stringify(body),
    signal: options.signal ?? null,
  }).catch((error: unknown) => {
    if (options.signal?.aborted) throw error;
    throw new ApiError("OFFLINE", "The gateway does not answer.");
  });
  if (!response.ok || response.body === null) throw await refusal(response);
  const travelled = travelledBy(response.headers);
  listen.onHeaders?.(travelled);
  for await (const event of events(response.body)) listen.onEvent(event);
  return travelled;
}

/** The models that a key may use, by name. */
export async function listModels(key: string, signal: AbortSignal): Promise<string[]> {
  const headers = { authorization: `Bearer ${key}` };
  const response = await fetch(urlOf("v1/models"), { headers, signal }).catch((error: unknown) => {
    if (signal.aborted) throw error;
    throw new ApiError("OFFLINE", "The gateway does not answer.");
  });
  if (!response.ok) throw await refusal(response);
  const told = (await response.json()) as { data: { id: string }[] };
  return told.data.map((each) => each.id).sort();
}

function travelledBy(headers: Headers): Travelled {
  const named = (name: string) => headers.get(name) ?? "";
  return {
    requestID: named("x-request-id") || named("request-id"),
    channel: named("x-longwire-channel"),
    transport: named("x-longwire-transport"),
    continuity: named("x-longwire-continuity"),
    reason: named("x-longwire-reason"),
    api: named("x-longwire-api"),
    dropped: named("x-longwire-dropped"),
  };
}

async function refusal(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => undefined)) as { error?: { message?: string; code?: string | number; type?: string; status?: string } } | undefined;
  const { code, type, status, message } = body?.error ?? {};
  return new ApiError(status ?? (code === undefined ? type : String(code)) ?? String(response.status), message ?? `HTTP ${response.status}`);
}
