import type { Ways } from "./chat";
import { bodyFor, DIALECTS } from "./dialects/all";

/** A first turn as a command; the key comes from the environment, so that it stands in no history of a shell. */
export function curlOf(settings: Omit<Ways, "key"> & { question: string }, url: string): string {
  const { question, ...ways } = settings;
  const body = { ...bodyFor([], question.trim() || "Hello", { ...ways, model: ways.model || "<model>" }), stream: true };
  const headers = { authorization: "Bearer $LONGWIRE_KEY", "content-type": "application/json", ...DIALECTS[ways.api].headers };
  return [
    `curl -i ${url}`,
    ...Object.entries(headers).map(([name, value]) => `-H "${name}: ${value}"`),
    `-d '${JSON.stringify(body, null, 2).replaceAll("'", "'\\''")}'`,
  ].join(" \\\n  ");
}
