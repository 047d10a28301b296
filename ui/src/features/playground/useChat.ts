import { useCallback, useRef, useState } from "react";
import { sendTurn } from "@/api/dataPlane";
import type { DataEvent } from "@/api/events";
import { type Completed, completed, type Exchange, inputFor } from "./chat";

interface Ways {
  key: string;
  model: string;
  instructions: string;
}

const ENDS = new Set(["response.completed", "response.incomplete"]);

/** A conversation: its exchanges, and the one that is under way. */
export function useChat({ key, model, instructions }: Ways) {
  const [exchanges, setExchanges] = useState<readonly Exchange[]>([]);
  const [session, setSession] = useState(() => newSession());
  const abort = useRef<AbortController>(undefined);
  const isRunning = exchanges.at(-1)?.isOver === false;

  const changeLast = (change: (last: Exchange) => Exchange) =>
    setExchanges((before) => before.map((each, index) => (index === before.length - 1 ? change(each) : each)));

  const send = async (question: string) => {
    const body = {
      model,
      input: inputFor(exchanges, question),
      store: false,
      ...(instructions === "" ? {} : { instructions }),
    };
    const began = performance.now();
    const passed = () => performance.now() - began;
    setExchanges((before) => [
      ...before,
      { question, answer: "", sent: JSON.stringify(body).length, isOver: false, output: [] },
    ]);
    abort.current = new AbortController();
    const onEvent = (event: DataEvent) => {
      if (event.type === "response.output_text.delta") {
        changeLast((last) => ({ ...last, answer: last.answer + String(event["delta"]), firstEvent: last.firstEvent ?? passed() }));
      }
      if (ENDS.has(event.type)) changeLast((last) => completed(last, event["response"] as Completed));
      if (event.type === "response.failed" || event.type === "error") throw new Error(messageOf(event));
    };
    try {
      await sendTurn(
        key,
        body,
        { onHeaders: (travelled) => changeLast((last) => ({ ...last, travelled, firstEvent: passed() })), onEvent },
        { session, signal: abort.current.signal },
      );
      changeLast((last) => ({ ...last, isOver: true, total: passed() }));
    } catch (error) {
      changeLast((last) => ({ ...last, isOver: true, total: passed(), error }));
    }
  };

  const clear = useCallback(() => {
    abort.current?.abort();
    setExchanges([]);
    setSession(newSession());
  }, []);
  return { exchanges, isRunning, send: (question: string) => void send(question), stop: () => abort.current?.abort(), clear };
}

/** Over plain HTTP at another name than localhost browsers give no `randomUUID`. */
function newSession(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return `playground-${[...bytes].map((each) => each.toString(16).padStart(2, "0")).join("")}`;
}

function messageOf(event: DataEvent): string {
  const response = event["response"] as { error?: { message?: string } } | undefined;
  const error = event["error"] as { message?: string } | undefined;
  return response?.error?.message ?? error?.message ?? String(event["message"] ?? event.type);
}
