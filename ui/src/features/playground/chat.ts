/** One turn of the playground as clients send it: the whole history, every time. */
import type { Travelled } from "@/api/dataPlane";
import { ApiError } from "@/api/errors";
import type { DataEvent } from "@/api/events";
import type { ApiFormat } from "@/api/words";
import type { Result, ToolCall } from "./tool";

export interface Exchange {
  id: number;
  api: ApiFormat;
  /** Empty where the results of the exchange before are all that is sent. */
  question: string;
  answer: string;
  state: "running" | "done" | "stopped" | "failed";
  /** Of the request's body, in bytes. */
  size: number;
  /** What was answered, as it goes into the next turn's history in its own API. */
  output: readonly unknown[];
  /** All of it as a history has it in its own API, where it was taken over from a kept turn. */
  history?: readonly unknown[];
  calls: readonly ToolCall[];
  /** What the calls came to. */
  results: readonly Result[];
  travelled?: Travelled;
  /** ms from sending to the first event, and to the end, as this page saw them. */
  firstEvent?: number;
  total?: number;
  inputTokens?: number | undefined;
  cachedTokens?: number | undefined;
  outputTokens?: number | undefined;
  /** Why the answer ends early, as the upstream told. */
  incomplete?: string | undefined;
  error?: unknown;
  /** As the turn log has it. */
  logged?: { turn: string; bytesSent: number };
}

export interface Ways {
  api: ApiFormat;
  key: string;
  model: string;
  instructions: string;
  /** As typed; "" leaves it to the upstream. */
  temperature: string;
  offersTool: boolean;
}

/** What a turn asks beside its history; `temperature` is a number by now. */
export type Settings = Pick<Ways, "model" | "instructions" | "offersTool"> & { temperature: number | undefined };

/** An API as this page speaks it. */
export interface Dialect {
  /** Where turns of a model are posted, below the base path. */
  path: (model: string) => string;
  headers: Record<string, string>;
  /** What a body has beside where its answer comes as a stream. */
  streamed: object;
  /** The request for a history, but for what is `streamed`. */
  body: (history: readonly unknown[], settings: Settings) => object;
  question: (text: string) => unknown;
  /** What the model said, where only its text is known. */
  said: (text: string) => unknown;
  results: (results: readonly Result[]) => readonly unknown[];
  /** The exchange after an event. Throws the `ApiError` that a failure's event tells. */
  after: (exchange: Exchange, event: DataEvent) => Exchange;
}

export function failureOf(error: { code?: string | null; type?: string; message?: string } | null | undefined): ApiError {
  return new ApiError(error?.code ?? error?.type ?? "server_error", error?.message ?? "The turn failed, and nobody said why.");
}

/** How the strip shows a turn that is over. */
export function wordFor(exchange: Exchange): string {
  if (exchange.state === "stopped") return "abandoned";
  if (exchange.state === "failed") return "failed";
  return exchange.travelled?.reason || exchange.travelled?.continuity || "new_session";
}
