import type { Ways } from "./chat";
import { bodyFor, DIALECTS } from "./dialects/all";

/** A first turn as a command; the key comes from the environment, so that it stands in no history of a shell. */
export function curlOf(settings: Omit<Ways, "key"> & { question: string }, url: string): string {
  const { question, ...ways } = settings;
  const dialect = DIALECTS[ways.api];
  const body = { ...bodyFor([], question.trim() || "Hello", { ...ways, model: ways.model || "<model>" }), ...dialect.streamed };
  const headers = { authorization: "Bearer $LONGWIRE_KEY", "content-type": "application/json", ...dialect.headers };
  return [
    `curl -i ${url.includes("?") ? `"${url}"` : url}`,
    ...Object.entries(headers).map(([name, value]) => `-H "${name}: ${value}"`),
    `-d '${JSON.stringify(body, null, 2).replaceAll("'", "'\\''")}'`,
  ].join(" \\\n  ");
}
