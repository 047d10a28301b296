/** One turn of the playground as clients send it: the whole history, every time. */
import type { Travelled } from "@/api/dataPlane";
import { ApiError } from "@/api/errors";
import type { DataEvent } from "@/api/events";

export interface Exchange {
  id: number;
  question: string;
  answer: string;
  state: "running" | "done" | "stopped" | "failed";
  /** Of the request's body, in bytes. */
  size: number;
  /** What the response put out, as it goes into the next turn's history. */
  output: readonly unknown[];
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
  key: string;
  model: string;
  instructions: string;
  /** As typed; "" leaves it to the upstream. */
  temperature: string;
}

/** They refuse to be asked for reasoning that they do not have. */
const WITHOUT_REASONING = /^(gpt-[34]|chatgpt-)/;

export function bodyFor(exchanges: readonly Exchange[], question: string, ways: Omit<Ways, "key">): object {
  const temperature = Number.parseFloat(ways.temperature);
  return {
    model: ways.model,
    input: [...exchanges.flatMap(historyOf), asked(question)],
    // Nothing is kept upstream; so its reasoning goes along, for turns that must go in full.
    store: false,
    ...(WITHOUT_REASONING.test(ways.model) ? {} : { include: ["reasoning.encrypted_content"] }),
    ...(ways.instructions === "" ? {} : { instructions: ways.instructions }),
    ...(Number.isNaN(temperature) ? {} : { temperature }),
  };
}

const asked = (content: string) => ({ type: "message", role: "user", content });

/** What failed is no part of the history; of what was stopped, the answer as far as it was read is. */
function historyOf(exchange: Exchange): readonly unknown[] {
  if (exchange.state === "done") return [asked(exchange.question), ...exchange.output];
  if (exchange.state !== "stopped" || exchange.answer === "") return [];
  const said = { type: "message", role: "assistant", content: [{ type: "output_text", text: exchange.answer }] };
  return [asked(exchange.question), said];
}

interface Response {
  output?: unknown[] | null;
  usage?: {
    input_tokens?: number;
    output_tokens?: number;
    input_tokens_details?: { cached_tokens?: number };
  } | null;
  incomplete_details?: { reason?: string } | null;
  error?: { code?: string; message?: string } | null;
}

/** The exchange after an event. Throws the `ApiError` that a failure's event tells. */
export function after(exchange: Exchange, event: DataEvent, passed: number): Exchange {
  const begun = { ...exchange, firstEvent: exchange.firstEvent ?? passed };
  switch (event.type) {
    case "response.output_text.delta":
    case "response.refusal.delta":
      return { ...begun, answer: begun.answer + String(event["delta"]) };
    case "response.output_item.done":
      return { ...begun, output: [...begun.output, event["item"]] };
    case "response.completed":
    case "response.incomplete":
      return ended(begun, event["response"] as Response);
    case "response.failed":
      throw failureOf((event["response"] as Response).error);
    case "error":
      throw failureOf((event["error"] as Response["error"]) ?? (event as Response["error"]));
    default:
      return begun;
  }
}

/** Its output may be left out at the end: then what came item by item is it. */
function ended(exchange: Exchange, response: Response): Exchange {
  const output = response.output ?? [];
  return {
    ...exchange,
    output: output.length > 0 ? output : exchange.output,
    incomplete: response.incomplete_details?.reason,
    inputTokens: response.usage?.input_tokens,
    cachedTokens: response.usage?.input_tokens_details?.cached_tokens,
    outputTokens: response.usage?.output_tokens,
  };
}

function failureOf(error: Response["error"]): ApiError {
  return new ApiError(error?.code ?? "server_error", error?.message ?? "The turn failed, and nobody said why.");
}

/** How the strip shows a turn that is over. */
export function wordFor(exchange: Exchange): string {
  if (exchange.state === "stopped") return "abandoned";
  if (exchange.state === "failed") return "failed";
  return exchange.travelled?.reason || exchange.travelled?.continuity || "new_session";
}
