/** Working first requests for the clients that people have. */
import { SETUPS } from "./setups";

const PLACE = /%(root|model|key)%/g;

type Request = "curl" | "python" | "javascript";
type Setup = keyof typeof SETUPS;
export type Client = Request | Setup;

export interface Ways {
  base: string;
  key: string;
  model: string;
}

const REQUESTS: Record<Request, (ways: Ways) => string> = {
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
};

const isSetup = (client: Client): client is Setup => client in SETUPS;

export const CLIENTS: readonly Client[] = [...(Object.keys(REQUESTS) as Request[]), ...(Object.keys(SETUPS) as Setup[])];

/** `base` ends with the version; some clients are given what stands before it. */
export function snippet(client: Client, ways: Ways): string {
  if (!isSetup(client)) return REQUESTS[client](ways);
  const values = { ...ways, root: ways.base.replace(/\/v1$/, "") };
  return SETUPS[client].replace(PLACE, (_, name: keyof typeof values) => values[name]);
}
