/** A kept request as a command for a shell, byte for byte. */
import type { ApiFormat } from "@/api/words";
import { DIALECTS } from "@/features/playground/dialects/all";

export interface KeptRequest {
  api: string;
  model: string;
  streams: boolean;
  body: string;
}

/** In letters: no argument may have more than 128 KiB. */
const LONGEST_ARGUMENT = 40_000;
const LIMIT = "LONGWIRE_BODY";

/** Where requests of an API are posted, below the base path. */
export function pathOf({ api, model, streams }: Omit<KeptRequest, "body">): string {
  if (!Object.hasOwn(DIALECTS, api)) return `v1/${api}`;
  const path = DIALECTS[api as ApiFormat].path(model);
  return streams ? path : path.replace(":streamGenerateContent?alt=sse", ":generateContent");
}

/** The key comes from the environment, so that it stands in no history of a shell. */
export function commandOf(request: KeptRequest, url: string): string {
  const headers = Object.hasOwn(DIALECTS, request.api) ? DIALECTS[request.api as ApiFormat].headers : {};
  const { argument, here } = dataOf(request.body);
  return [
    `curl -i ${quoted(url)}`,
    '-H "authorization: Bearer $LONGWIRE_KEY"',
    ...Object.entries({ "content-type": "application/json", ...headers }).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
    `--data-binary ${argument}`,
  ].join(" \\\n  ") + here;
}

/** A long body comes from a here-document, which has no greatest length. */
function dataOf(body: string): { argument: string; here: string } {
  if (body.length <= LONGEST_ARGUMENT) return { argument: quoted(body), here: "" };
  const lines = new Set(body.split("\n"));
  let limit = LIMIT;
  while (lines.has(limit)) limit += "_";
  return { argument: `@- <<'${limit}'`, here: `\n${body}\n${limit}` };
}

/** Between single quotes a shell changes nothing; one of them stands outside, behind a backslash. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
