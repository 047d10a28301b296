import { act, createElement } from "react";
import { createRoot } from "react-dom/client";
import { beforeAll, expect, test, vi } from "vitest";
import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import type { Channel } from "./api";
import { Drawn } from "./TestPanel";
import type { Tested } from "./testChannel";
import channels from "./en.json";

vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
beforeAll(() => i18next.use(initReactI18next).init({ lng: "en", resources: { en: { channels } } }));

const CHANNEL = { defaultEndpoints: [] } as unknown as Channel;
const TESTED: Tested = {
  success: true,
  error: null,
  api: "messages",
  transport: "http",
  model: "m",
  handshakeMs: null,
  firstEventMs: 12,
  continued: false,
  cachedTokens: null,
  dropped: [],
};

async function drawn(tested: Tested): Promise<HTMLElement> {
  const box = document.createElement("div");
  await act(async () => createRoot(box).render(createElement(Drawn, { channel: CHANNEL, api: "", tested })));
  return box;
}

test("a trial names what could not be said in the API that was asked", async () => {
  const box = await drawn({ ...TESTED, dropped: ["top_logprobs", "text.verbosity"] });
  expect(box.textContent).toContain("Left out: top_logprobs, text.verbosity");
});

test("and says nothing of it where all was said", async () => {
  expect((await drawn(TESTED)).textContent).not.toContain("Left out");
});
