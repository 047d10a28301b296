/** Which model is asked, until another one is typed. */

export const isName = (model: string) => !/[*?[]/.test(model);

/** Lists begin with anything, models for sounds and pictures too: those that are known to chat come first. */
const CHATS = /^(gpt-\d|claude-|gemini-\d|deepseek-|qwen|llama|mistral|grok-)/i;
const NO_CHAT = /audio|realtime|image|transcribe|tts|embed|search|instruct/i;

export function favourite(models: readonly string[]): string {
  return models.find((each) => CHATS.test(each) && !NO_CHAT.test(each)) ?? models[0] ?? "";
}
