export interface DataEvent {
  /** Chunks of Chat Completions have none. */
  type?: string;
  [field: string]: unknown;
}

/** Server-sent events of JSON, however the network cut them. */
export async function* events(body: ReadableStream<Uint8Array>): AsyncGenerator<DataEvent> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      rest += value ?? "";
      const blocks = rest.split(/\r?\n\r?\n/);
      rest = done ? "" : (blocks.pop() ?? "");
      for (const block of blocks) {
        const event = eventOf(block);
        if (event !== undefined) yield event;
      }
      if (done) return;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function eventOf(block: string): DataEvent | undefined {
  const lines = block.split(/\r?\n/).filter((line) => line.startsWith("data:"));
  const text = lines.map((line) => line.slice(5).trimStart()).join("\n");
  return text === "" || text === "[DONE]" ? undefined : (JSON.parse(text) as DataEvent);
}
