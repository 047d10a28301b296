/** The readers of the four APIs; an API that is passed on has none, and is shown as JSON. */
import type { ApiFormat } from "@/api/words";
import { called, contentOf, image, listOf, membersOf, type Message, other, type Part, type Reader, reasoning, result, text, word } from "./parts";
import { isMembers, type Json, type Members } from "./readBody";

const RESPONSES: Reader = {
  list: "input",
  instructions: (body) => contentOf(body["instructions"], responsesPart),
  message: (item) => (isMembers(item) ? responsesItem(item) : { role: "user", parts: contentOf(item, other) }),
  answer: (body) => listOf(membersOf(body["response"] ?? body)["output"]),
};

function responsesItem(item: Members): Message {
  const type = word(item["type"]) || "message";
  if (type === "message") return { role: word(item["role"]), parts: contentOf(item["content"], responsesPart) };
  if (type === "reasoning") return { role: "assistant", parts: [thoughtsOf(item)] };
  if (type.endsWith("_output")) return { role: "tool", parts: [result(item["call_id"], contentOf(item["output"], responsesPart))] };
  if (type.endsWith("_call") && "call_id" in item) {
    const input = item["arguments"] ?? item["input"] ?? item["action"] ?? item["operation"];
    return { role: "assistant", parts: [called(item["call_id"], item["name"] ?? type, input)] };
  }
  return { role: type.endsWith("_call") ? "assistant" : type, parts: [other(item)] };
}

function thoughtsOf(item: Members): Part {
  const thoughts = [...listOf(item["summary"]), ...listOf(item["content"])].map((each) => word(membersOf(each)["text"]));
  return reasoning(thoughts.join("\n\n"));
}

function responsesPart(part: Members): Part {
  if (typeof part["text"] === "string") return text(part["text"]);
  if (part["type"] === "refusal") return text(part["refusal"]);
  return part["type"] === "input_image" ? image(part["image_url"]) : other(part);
}

const CHAT_COMPLETIONS: Reader = {
  list: "messages",
  instructions: () => [],
  message: chatMessage,
  answer: (body) => listOf(body["choices"]).map((choice) => membersOf(choice)["message"]),
};

function chatMessage(item: Json): Message {
  const message = membersOf(item);
  const content = contentOf(message["content"], chatPart);
  const role = word(message["role"]);
  if (role === "tool") return { role, parts: [result(message["tool_call_id"], content)] };
  const thought = message["reasoning_content"] ?? message["reasoning"];
  const calls = listOf(message["tool_calls"]).map((call) => {
    const { id, function: named, custom } = membersOf(call);
    const { name, arguments: input, input: custominput } = membersOf(named ?? custom);
    return called(id, name, input ?? custominput);
  });
  const refusal = typeof message["refusal"] === "string" ? [text(message["refusal"])] : [];
  return { role, parts: [...(typeof thought === "string" ? [reasoning(thought)] : []), ...content, ...refusal, ...calls] };
}

function chatPart(part: Members): Part {
  if (part["type"] === "text") return text(part["text"]);
  if (part["type"] === "refusal") return text(part["refusal"]);
  return part["type"] === "image_url" ? image(membersOf(part["image_url"])["url"]) : other(part);
}

const MESSAGES: Reader = {
  list: "messages",
  instructions: (body) => contentOf(body["system"], messagesPart),
  message(item) {
    const { role, content } = membersOf(item);
    const parts = contentOf(content, messagesPart);
    const isResult = parts.length > 0 && parts.every((part) => part.kind === "result");
    return { role: isResult ? "tool" : word(role), parts };
  },
  answer: (body) => ("content" in body ? [{ role: body["role"] ?? "assistant", content: body["content"] }] : []),
};

function messagesPart(part: Members): Part {
  switch (part["type"]) {
    case "text":
      return text(part["text"]);
    case "thinking":
      return reasoning(part["thinking"]);
    case "redacted_thinking":
      return reasoning("");
    case "tool_use":
    case "server_tool_use":
      return called(part["id"], part["name"], part["input"]);
    case "tool_result":
      return result(part["tool_use_id"], contentOf(part["content"], messagesPart));
    case "image": {
      const { media_type: type, data, url } = membersOf(part["source"]);
      return image(data === undefined ? url : `data:${word(type)};base64,${word(data)}`);
    }
    default:
      return other(part);
  }
}

const GENERATE_CONTENT: Reader = {
  list: "contents",
  instructions: (body) => contentOf(membersOf(body["systemInstruction"] ?? body["system_instruction"])["parts"], contentPart),
  message(item) {
    const { role, parts: content } = membersOf(item);
    const parts = contentOf(content, contentPart);
    const isResult = parts.length > 0 && parts.every((part) => part.kind === "result");
    return { role: isResult ? "tool" : role === "model" ? "assistant" : word(role) || "user", parts };
  },
  answer: (body) => listOf(body["candidates"]).map((candidate) => membersOf(candidate)["content"]),
};

function contentPart(part: Members): Part {
  if (typeof part["text"] === "string") return part["thought"] === true ? reasoning(part["text"]) : text(part["text"]);
  const [call, response, data] = [part["functionCall"], part["functionResponse"], part["inlineData"] ?? part["inline_data"]].map(membersOf);
  if (call?.["name"] !== undefined) return called(call["id"], call["name"], call["args"]);
  if (response?.["name"] !== undefined) return result(response["id"], [other(response["response"])], response["name"]);
  if (data?.["data"] === undefined) return other(part);
  return image(`data:${word(data["mimeType"] ?? data["mime_type"])};base64,${word(data["data"])}`);
}

export const READERS: Record<ApiFormat, Reader> = {
  responses: RESPONSES,
  chat_completions: CHAT_COMPLETIONS,
  messages: MESSAGES,
  generate_content: GENERATE_CONTENT,
};

export function readerOf(api: string): Reader | undefined {
  return Object.hasOwn(READERS, api) ? READERS[api as ApiFormat] : undefined;
}
