import { type Dialect, type Exchange, failureOf } from "../chat";
import { TOOL } from "../tool";

/** They refuse to be asked for reasoning that they do not have. */
const WITHOUT_REASONING = /^(gpt-[34]|chatgpt-)/;

interface Item {
  type?: string;
  call_id?: string;
  name?: string;
  arguments?: string;
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

export const RESPONSES: Dialect = {
  path: () => "v1/responses",
  streamed: { stream: true },
  headers: {},
  body: (history, { model, instructions, temperature, offersTool }) => ({
    model,
    input: history,
    // Nothing is kept upstream; so its reasoning goes along, for turns that must go in full.
    store: false,
    ...(WITHOUT_REASONING.test(model) ? {} : { include: ["reasoning.encrypted_content"] }),
    ...(instructions === "" ? {} : { instructions }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(offersTool ? { tools: [{ type: "function", ...TOOL, strict: false }] } : {}),
  }),
  question: (content) => ({ type: "message", role: "user", content }),
  said: (text) => ({ type: "message", role: "assistant", content: [{ type: "output_text", text }] }),
  results: (results) => results.map(({ id, output }) => ({ type: "function_call_output", call_id: id, output })),
  after(exchange, event) {
    switch (event.type) {
      case "response.output_text.delta":
      case "response.refusal.delta":
        return { ...exchange, answer: exchange.answer + String(event["delta"]) };
      case "response.output_item.done":
        return withItem(exchange, event["item"] as Item);
      case "response.completed":
      case "response.incomplete":
        return ended(exchange, event["response"] as Response);
      case "response.failed":
        throw failureOf((event["response"] as Response).error);
      case "error":
        throw failureOf((event["error"] as Response["error"]) ?? (event as Response["error"]));
      default:
        return exchange;
    }
  },
};

function withItem(exchange: Exchange, item: Item): Exchange {
  const output = [...exchange.output, item];
  if (item.type !== "function_call") return { ...exchange, output };
  const call = { id: item.call_id ?? "", name: item.name ?? "", arguments: item.arguments ?? "" };
  return { ...exchange, output, calls: [...exchange.calls, call] };
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
