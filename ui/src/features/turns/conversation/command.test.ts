// @vitest-environment node
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { commandOf, pathOf } from "./command";

/** What a real shell hands over to curl: its arguments, and what it can read. */
function run(command: string): { args: string[]; input: string } {
  const curl = 'curl() { node -e \'const {readFileSync} = require("fs"); const args = process.argv.slice(1); console.log(JSON.stringify({ args, input: args.includes("@-") ? readFileSync(0, "utf8") : "" }))\' -- "$@"; }\n';
  const told = execFileSync("sh", { input: curl + command, env: { ...process.env, LONGWIRE_KEY: "lw_k" }, encoding: "utf8" });
  return JSON.parse(told) as { args: string[]; input: string };
}

const HOSTILE = JSON.stringify({ input: "it's $(touch /tmp/x) `id` \"$HOME\" \\ \n !! é 你好 '\\'' <<EOF", model: "m" }, null, 1);
const URL = "http://h:1/x/v1/models/it's:go?alt=sse&a=$b";

test("a shell hands the request over as it was kept, whatever it says", () => {
  for (const body of [HOSTILE, "it's no JSON\r\n\t'", ""]) {
    const { args } = run(commandOf({ api: "messages", model: "m", streams: true, body }, URL));
    expect(args).toEqual([
      "-i",
      URL,
      ...["authorization: Bearer lw_k", "content-type: application/json", "anthropic-version: 2023-06-01"].flatMap((each) => ["-H", each]),
      "--data-binary",
      body,
    ]);
  }
});

test("a body too long for an argument comes from a here-document that nothing in it can end", () => {
  const body = `${HOSTILE}\nLONGWIRE_BODY\n${"é'$x ".repeat(100_000)}`;
  const { args, input } = run(commandOf({ api: "responses", model: "m", streams: false, body }, "http://h/v1/responses"));
  expect([args.at(-1), input]).toEqual(["@-", `${body}\n`]);
});

test("each API has its path", () => {
  const of = (api: string, streams: boolean) => pathOf({ api, model: "a/b c", streams });
  expect(of("responses", true)).toBe("v1/responses");
  expect(of("chat_completions", false)).toBe("v1/chat/completions");
  expect(of("messages", false)).toBe("v1/messages");
  expect(of("embeddings", false)).toBe("v1/embeddings");
  expect(of("generate_content", true)).toBe("v1beta/models/a%2Fb%20c:streamGenerateContent?alt=sse");
  expect(of("generate_content", false)).toBe("v1beta/models/a%2Fb%20c:generateContent");
});
