import { type Dialect, type Exchange, failureOf } from "../chat";
import { TOOL } from "../tool";

interface Part {
  text?: string;
  thought?: boolean;
  functionCall?: { id?: string; name?: string; args?: unknown };
}

interface Chunk {
  candidates?: { content?: { parts?: Part[] }; finishReason?: string }[];
  usageMetadata?: {
    promptTokenCount?: number;
    cachedContentTokenCount?: number;
    candidatesTokenCount?: number;
    thoughtsTokenCount?: number;
  };
  error?: { status?: string; message?: string };
}

const user = (...parts: readonly object[]) => ({ role: "user", parts });

export const GENERATE_CONTENT: Dialect = {
  path: (model) => `v1beta/models/${encodeURIComponent(model || "<model>")}:streamGenerateContent?alt=sse`,
  headers: {},
  streamed: {},
  body: (history, { instructions, temperature, offersTool }) => ({
    ...(instructions === "" ? {} : { systemInstruction: { parts: [{ text: instructions }] } }),
    contents: history,
    ...(temperature === undefined ? {} : { generationConfig: { temperature } }),
    ...(offersTool
      ? { tools: [{ functionDeclarations: [{ name: TOOL.name, description: TOOL.description, parametersJsonSchema: TOOL.parameters }] }] }
      : {}),
  }),
  question: (text) => user({ text }),
  said: (text) => ({ role: "model", parts: [{ text }] }),
  results: (results) =>
    results.length === 0
      ? []
      : [user(...results.map(({ id, name, output }) => ({ functionResponse: { ...(id === "" ? {} : { id }), name, response: { output } } })))],
  after(exchange, event) {
    const { error, candidates, usageMetadata: usage } = event as Chunk;
    if (error !== undefined) throw failureOf({ ...error, code: error.status ?? null });
    const [candidate] = candidates ?? [];
    const read = (candidate?.content?.parts ?? []).reduce(withPart, exchange);
    const reason = candidate?.finishReason ?? "STOP";
    return {
      ...read,
      ...(reason === "STOP" ? {} : { incomplete: reason }),
      ...(usage === undefined
        ? {}
        : {
            inputTokens: usage.promptTokenCount,
            cachedTokens: usage.cachedContentTokenCount ?? 0,
            outputTokens: (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0),
          }),
    };
  },
};

/** Every part goes back as it came: what a model signed stands in any of them. */
function withPart(exchange: Exchange, part: Part): Exchange {
  const [content] = exchange.output as readonly { parts: Part[] }[];
  const output = [{ role: "model", parts: [...(content?.parts ?? []), part] }];
  const { functionCall: call } = part;
  if (call === undefined) return { ...exchange, output, answer: exchange.answer + (part.thought ? "" : (part.text ?? "")) };
  const called = { id: call.id ?? "", name: call.name ?? "", arguments: JSON.stringify(call.args ?? {}) };
  return { ...exchange, output, calls: [...exchange.calls, called] };
}
