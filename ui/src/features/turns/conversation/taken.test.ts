import { expect, test } from "vitest";
import { bodyFor } from "@/features/playground/dialects/all";
import { type Taken, takenOver } from "./taken";

const CALL = { type: "function_call", call_id: "c1", name: "ls", arguments: "{}" };
const INPUT = [
  { role: "developer", content: "rules" },
  { role: "user", content: [{ type: "input_text", text: "look" }, { type: "input_image", image_url: "data:image/png;base64,AA==" }] },
  { type: "reasoning", summary: [], encrypted_content: "sealed" },
  CALL,
  { type: "function_call_output", call_id: "c1", output: "a.txt" },
];
const OUTPUT = [{ type: "message", role: "assistant", content: [{ type: "output_text", text: "one file" }] }];

function taking(...from: Parameters<typeof takenOver>): Taken {
  const found = takenOver(...from);
  if (found === null) throw new Error("it is no conversation");
  return found;
}

function again(taken: Taken, question = "") {
  return bodyFor(taken.exchanges.map((each, id) => ({ ...each, id })), question, { ...taken.settings, offersTool: false });
}

test("a conversation that was taken over is sent on as it was, and what it did not take is named", () => {
  const request = { model: "gpt-5.2", instructions: "Be brief", input: INPUT, temperature: 0.5, tools: [{}], stream: true, max_output_tokens: 5 };
  const taken = taking("responses", "gpt-5.2", JSON.stringify(request), JSON.stringify({ output: OUTPUT }));
  expect(again(taken, "and now?")).toMatchObject({
    model: "gpt-5.2",
    instructions: "Be brief",
    temperature: 0.5,
    input: [...INPUT, ...OUTPUT, { role: "user", content: "and now?" }],
  });
  expect(taken.left).toEqual(["tools", "max_output_tokens"]);
  expect(taken.exchanges).toMatchObject([
    { question: "look", answer: "one file", calls: [{ id: "c1", name: "ls" }], results: [{ id: "c1", output: "a.txt" }] },
  ]);
});

test("each question begins an exchange; in another API their texts go along", () => {
  const messages = [
    { role: "system", content: "Be brief" },
    { role: "user", content: "a" },
    { role: "assistant", content: "b" },
    { role: "user", content: "c" },
  ];
  const taken = taking("chat_completions", "m", JSON.stringify({ model: "m", messages }), "");
  expect(taken.settings.instructions).toBe("Be brief");
  expect(again(taken)).toMatchObject({ messages });
  expect(again({ ...taken, settings: { ...taken.settings, api: "messages" } })).toMatchObject({ system: "Be brief", messages: messages.slice(1) });
});

test("of a Gemini request the rest of its configuration is named", () => {
  const contents = [{ role: "user", parts: [{ text: "q" }] }, { role: "model", parts: [{ text: "a", thoughtSignature: "s" }] }];
  const body = { contents, systemInstruction: { parts: [{ text: "i" }] }, generationConfig: { temperature: 0, topK: 3 } };
  const taken = taking("generate_content", "gemini-3", JSON.stringify(body), "");
  expect(again(taken)).toMatchObject({ contents, systemInstruction: { parts: [{ text: "i" }] }, generationConfig: { temperature: 0 } });
  expect(taken.left).toEqual(["generationConfig.topK"]);
  expect(takenOver("messages", "m", "[]", "")).toBeNull();
});
