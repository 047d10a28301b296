import { type Dialect, type Exchange, failureOf } from "../chat";
import { TOOL } from "../tool";

/** The API wants to be told how much an answer may have. */
const MOST_TOKENS = 16_384;
const CUT_SHORT = new Set(["max_tokens", "refusal", "model_context_window_exceeded"]);

interface Block {
  type: string;
  id?: string;
  name?: string;
  text?: string;
  thinking?: string;
  signature?: string;
  input?: unknown;
}

interface Delta {
  text?: string;
  thinking?: string;
  signature?: string;
  partial_json?: string;
  stop_reason?: string | null;
}

interface Usage {
  input_tokens?: number | null;
  cache_read_input_tokens?: number | null;
  cache_creation_input_tokens?: number | null;
  output_tokens?: number | null;
}

export const MESSAGES: Dialect = {
  path: () => "v1/messages",
  streamed: { stream: true },
  headers: { "anthropic-version": "2023-06-01" },
  body: (history, { model, instructions, temperature, offersTool }) => ({
    model,
    max_tokens: MOST_TOKENS,
    ...(instructions === "" ? {} : { system: instructions }),
    messages: history,
    ...(temperature === undefined ? {} : { temperature }),
    ...(offersTool ? { tools: [{ name: TOOL.name, description: TOOL.description, input_schema: TOOL.parameters }] } : {}),
  }),
  question: (content) => ({ role: "user", content }),
  said: (content) => ({ role: "assistant", content }),
  results: (results) =>
    results.length === 0
      ? []
      : [{ role: "user", content: results.map(({ id, output }) => ({ type: "tool_result", tool_use_id: id, content: output })) }],
  after(exchange, event) {
    switch (event.type) {
      case "message_start":
        return counted(exchange, (event["message"] as { usage?: Usage }).usage);
      case "content_block_start":
        return begun(exchange, event["content_block"] as Block);
      case "content_block_delta":
        return grown(exchange, event["delta"] as Delta);
      case "content_block_stop":
        return closed(exchange);
      case "message_delta":
        return stopped(counted(exchange, event["usage"] as Usage | undefined), event["delta"] as Delta);
      case "error":
        throw failureOf(event["error"] as { type?: string; message?: string });
      default:
        return exchange;
    }
  },
};

/** Blocks come one after another: the last one is the one that grows. */
function blocksOf(exchange: Exchange): Block[] {
  const [message] = exchange.output as readonly { content: Block[] }[];
  return message?.content ?? [];
}

const withBlocks = (exchange: Exchange, content: Block[]): Exchange => ({ ...exchange, output: [{ role: "assistant", content }] });

function begun(exchange: Exchange, block: Block): Exchange {
  const read = withBlocks(exchange, [...blocksOf(exchange), block]);
  if (block.type !== "tool_use") return { ...read, answer: exchange.answer + (block.text ?? "") };
  return { ...read, calls: [...exchange.calls, { id: block.id ?? "", name: block.name ?? "", arguments: "" }] };
}

function grown(exchange: Exchange, { text = "", thinking = "", signature, partial_json: part = "" }: Delta): Exchange {
  const blocks = blocksOf(exchange);
  const last = blocks.at(-1);
  const call = exchange.calls.at(-1);
  if (last === undefined) return exchange;
  const block = {
    ...last,
    ...(text === "" ? {} : { text: (last.text ?? "") + text }),
    ...(thinking === "" ? {} : { thinking: (last.thinking ?? "") + thinking }),
    ...(signature === undefined ? {} : { signature }),
  };
  const calls = part === "" || call === undefined ? exchange.calls : [...exchange.calls.slice(0, -1), { ...call, arguments: call.arguments + part }];
  return { ...withBlocks(exchange, [...blocks.slice(0, -1), block]), answer: exchange.answer + text, calls };
}

/** What a tool is called with is JSON once its block is whole; nothing at all is an empty object. */
function closed(exchange: Exchange): Exchange {
  const blocks = blocksOf(exchange);
  const last = blocks.at(-1);
  if (last?.type !== "tool_use") return exchange;
  const input: unknown = JSON.parse(exchange.calls.at(-1)?.arguments || "{}");
  return withBlocks(exchange, [...blocks.slice(0, -1), { ...last, input }]);
}

function stopped(exchange: Exchange, { stop_reason: reason }: Delta): Exchange {
  return reason != null && CUT_SHORT.has(reason) ? { ...exchange, incomplete: reason } : exchange;
}

/** What was cached is not part of `input_tokens` here. A later count replaces an earlier one. */
function counted(exchange: Exchange, usage: Usage | undefined): Exchange {
  const { input_tokens: input, cache_read_input_tokens: read, cache_creation_input_tokens: written, output_tokens: output } = usage ?? {};
  return {
    ...exchange,
    inputTokens: input == null ? exchange.inputTokens : input + (read ?? 0) + (written ?? 0),
    cachedTokens: read ?? exchange.cachedTokens,
    outputTokens: output ?? exchange.outputTokens,
  };
}
