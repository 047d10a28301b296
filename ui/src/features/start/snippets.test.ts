import { expect, test } from "vitest";
import { CLIENTS, snippet } from "./snippets";

const WAYS = { base: "https://gw.example/below/v1", key: "lw_key", model: "gpt-5.2" };

test.each(CLIENTS)("%s is pointed here with key and model, and no place is left open", (client) => {
  const text = snippet(client, WAYS);
  for (const part of ["https://gw.example/below", WAYS.key, WAYS.model]) expect(text).toContain(part);
  expect(text).not.toMatch(/%\w+%/);
});

test("who appends the version gets the root; the others get the version", () => {
  expect(snippet("claude-code", WAYS)).toContain('"ANTHROPIC_BASE_URL": "https://gw.example/below",');
  expect(snippet("gemini-cli", WAYS)).toContain("GOOGLE_GEMINI_BASE_URL='https://gw.example/below' ");
  const rooted = ["claude-code", "gemini-cli"];
  for (const client of CLIENTS.filter((each) => !rooted.includes(each))) expect(snippet(client, WAYS)).toContain(WAYS.base);
});

test("a value that looks like a place or a pattern is put in as it is", () => {
  expect(snippet("cline", { ...WAYS, key: "$& %model%" })).toContain("$& %model%");
});
