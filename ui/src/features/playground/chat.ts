/** A conversation of the playground, and one turn of it as clients send it: the whole history, every time. */
import type { Travelled } from "@/api/dataPlane";

export interface Exchange {
  question: string;
  answer: string;
  travelled?: Travelled;
  /** ms to the first event and in all. */
  firstEvent?: number;
  total?: number;
  sent: number;
  inputTokens?: number;
  cachedTokens?: number;
  error?: unknown;
  isOver: boolean;
  /** What the response put out, as it goes into the next turn's history. */
  output: unknown[];
}

export interface Item {
  type: "message";
  role: "user";
  content: string;
}

/** The input of the next turn; an exchange that failed is no part of the history. */
export function inputFor(exchanges: readonly Exchange[], question: string): unknown[] {
  const past = exchanges
    .filter((each) => each.isOver && each.error === undefined)
    .flatMap((each) => [asked(each.question), ...each.output]);
  return [...past, asked(question)];
}

const asked = (content: string): Item => ({ type: "message", role: "user", content });

export interface Completed {
  output?: unknown[];
  usage?: { input_tokens?: number; input_tokens_details?: { cached_tokens?: number } };
}

export function completed(exchange: Exchange, response: Completed): Exchange {
  return {
    ...exchange,
    output: response.output ?? [],
    inputTokens: response.usage?.input_tokens,
    cachedTokens: response.usage?.input_tokens_details?.cached_tokens,
  };
}

/** How the strip of the conversation shows an exchange. */
export function wordFor(exchange: Exchange): string {
  if (exchange.error !== undefined) return "failed";
  return exchange.travelled?.reason || exchange.travelled?.continuity || "new_session";
}
