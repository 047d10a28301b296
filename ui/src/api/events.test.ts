// @vitest-environment node
import { expect, test } from "vitest";
import { events } from "./events";

const TEXT = 'event: a\ndata: {"type":"a","delta":"é"}\n\n: keep-alive\n\ndata: {"type":"b"}\n\ndata: [DONE]\n\n';

function cut(bytes: Uint8Array, size: number): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
      controller.close();
    },
  });
}

test.each([1, 2, 7, 1_000])("events are the same, cut every %i bytes", async (size) => {
  const found = [];
  for await (const event of events(cut(new TextEncoder().encode(TEXT), size))) found.push(event);
  expect(found).toEqual([{ type: "a", delta: "é" }, { type: "b" }]);
});
