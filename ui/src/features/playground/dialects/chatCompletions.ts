import { type Dialect, type Exchange, failureOf } from "../chat";
import { TOOL, type ToolCall } from "../tool";

interface CallDelta {
  index: number;
  id?: string;
  function?: { name?: string; arguments?: string };
}

interface Chunk {
  choices?: {
    delta?: { content?: string | null; refusal?: string | null; tool_calls?: CallDelta[] | null };
    finish_reason?: string | null;
  }[];
  usage?: {
    prompt_tokens?: number;
    completion_tokens?: number;
    prompt_tokens_details?: { cached_tokens?: number } | null;
  } | null;
  error?: { code?: string | null; type?: string; message?: string };
}

const CUT_SHORT = new Set(["length", "content_filter"]);

export const CHAT_COMPLETIONS: Dialect = {
  path: () => "v1/chat/completions",
  streamed: { stream: true },
  headers: {},
  body: (history, { model, instructions, temperature, offersTool }) => ({
    model,
    messages: [...(instructions === "" ? [] : [{ role: "system", content: instructions }]), ...history],
    stream_options: { include_usage: true },
    ...(temperature === undefined ? {} : { temperature }),
    ...(offersTool ? { tools: [{ type: "function", function: TOOL }] } : {}),
  }),
  question: (content) => ({ role: "user", content }),
  said: (content) => ({ role: "assistant", content }),
  results: (results) => results.map(({ id, output }) => ({ role: "tool", tool_call_id: id, content: output })),
  after(exchange, event) {
    const { error, choices, usage } = event as Chunk;
    if (error !== undefined) throw failureOf(error);
    const choice = choices?.[0];
    const read = choice === undefined ? exchange : withDelta(exchange, choice.delta ?? {});
    const reason = choice?.finish_reason ?? "";
    return {
      ...read,
      ...(CUT_SHORT.has(reason) ? { incomplete: reason } : {}),
      ...(usage == null
        ? {}
        : {
            inputTokens: usage.prompt_tokens,
            cachedTokens: usage.prompt_tokens_details?.cached_tokens,
            outputTokens: usage.completion_tokens,
          }),
    };
  },
};

function withDelta(exchange: Exchange, delta: NonNullable<NonNullable<Chunk["choices"]>[number]["delta"]>): Exchange {
  const answer = exchange.answer + (delta.content ?? delta.refusal ?? "");
  const calls = (delta.tool_calls ?? []).reduce(withCall, exchange.calls);
  return { ...exchange, answer, calls, output: [messageOf(answer, calls)] };
}

function withCall(calls: readonly ToolCall[], { index, id, function: part }: CallDelta): readonly ToolCall[] {
  const before = calls[index] ?? { id: "", name: "", arguments: "" };
  const call = {
    id: before.id || (id ?? ""),
    name: before.name || (part?.name ?? ""),
    arguments: before.arguments + (part?.arguments ?? ""),
  };
  return [...calls.slice(0, index), call, ...calls.slice(index + 1)];
}

function messageOf(answer: string, calls: readonly ToolCall[]): object {
  const called = calls.map(({ id, name, arguments: text }) => ({ id, type: "function", function: { name, arguments: text } }));
  if (called.length === 0) return { role: "assistant", content: answer };
  return { role: "assistant", content: answer === "" ? null : answer, tool_calls: called };
}
