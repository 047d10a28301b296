/** Working first requests for the clients that people have. */
export const CLIENTS = ["curl", "python", "javascript", "codex", "opencode"] as const;
export type Client = (typeof CLIENTS)[number];

export interface Ways {
  base: string;
  key: string;
  model: string;
}

const SNIPPETS: Record<Client, (ways: Ways) => string> = {
  curl: ({ base, key, model }) => `curl -i ${base}/responses \\
  -H 'authorization: Bearer ${key}' \\
  -H 'content-type: application/json' \\
  -d '${JSON.stringify({ model, input: "Hello" })}'`,
  python: ({ base, key, model }) => `# pip install openai
from openai import OpenAI

client = OpenAI(base_url="${base}", api_key="${key}")
response = client.responses.create(model="${model}", input="Hello")
print(response.output_text)`,
  javascript: ({ base, key, model }) => `// npm install openai
import OpenAI from "openai";

const client = new OpenAI({ baseURL: "${base}", apiKey: "${key}" });
const response = await client.responses.create({ model: "${model}", input: "Hello" });
console.log(response.output_text);`,
  codex: ({ base, key, model }) => `# ~/.codex/config.toml
model = "${model}"
model_provider = "longwire"

[model_providers.longwire]
name = "Longwire"
base_url = "${base}"
env_key = "LONGWIRE_KEY"
wire_api = "responses"

# then, in a shell
export LONGWIRE_KEY='${key}'
codex`,
  opencode: ({ base, key, model }) => `// opencode.json
${JSON.stringify(
  {
    $schema: "https://opencode.ai/config.json",
    provider: {
      longwire: { npm: "@ai-sdk/openai", name: "Longwire", options: { baseURL: base, apiKey: key }, models: { [model]: {} } },
    },
    model: `longwire/${model}`,
  },
  null,
  2,
)}`,
};

export function snippet(client: Client, ways: Ways): string {
  return SNIPPETS[client](ways);
}
