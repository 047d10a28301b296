/** The APIs that the playground speaks, and the request of a turn in any of them. */
import type { DataEvent } from "@/api/events";
import type { ApiFormat } from "@/api/words";
import type { Dialect, Exchange, Ways } from "../chat";
import { CHAT_COMPLETIONS } from "./chatCompletions";
import { GENERATE_CONTENT } from "./generateContent";
import { MESSAGES } from "./messages";
import { RESPONSES } from "./responses";

export const DIALECTS: Record<ApiFormat, Dialect> = {
  responses: RESPONSES,
  chat_completions: CHAT_COMPLETIONS,
  messages: MESSAGES,
  generate_content: GENERATE_CONTENT,
};

/** The body of a turn; without a `question` the results of the last exchange are all that is new. */
export function bodyFor(exchanges: readonly Exchange[], question: string, ways: Omit<Ways, "key">): object {
  const dialect = DIALECTS[ways.api];
  const temperature = Number.parseFloat(ways.temperature);
  const history = exchanges.flatMap((each) => historyOf(each, ways.api));
  return dialect.body([...history, ...questionOf(dialect, question)], {
    ...ways,
    temperature: Number.isNaN(temperature) ? undefined : temperature,
  });
}

const questionOf = (dialect: Dialect, question: string) => (question === "" ? [] : [dialect.question(question)]);

/**
 * What failed is no part of the history; of what was stopped, the answer as far as it was read is. So it is with what
 * was answered in another API: its text is what both can say.
 */
function historyOf(exchange: Exchange, api: ApiFormat): readonly unknown[] {
  const dialect = DIALECTS[api];
  if (exchange.history !== undefined && exchange.api === api) return exchange.history;
  const question = questionOf(dialect, exchange.question);
  if (exchange.state === "done" && exchange.api === api) return [...question, ...exchange.output, ...dialect.results(exchange.results)];
  const said = exchange.answer === "" ? [] : [dialect.said(exchange.answer)];
  const isPart = exchange.state === "done" || (exchange.state === "stopped" && exchange.answer !== "");
  return isPart ? [...question, ...said] : [];
}

/** The exchange after an event that came so many ms after the request was sent. */
export function after(exchange: Exchange, event: DataEvent, passed: number): Exchange {
  return DIALECTS[exchange.api].after({ ...exchange, firstEvent: exchange.firstEvent ?? passed }, event);
}
