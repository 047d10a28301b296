/** A conversation: its exchanges, the turn under way, and a mark for each turn that was sent. */
import type { sendTurn } from "@/api/dataPlane";
import { type Exchange, type Ways, wordFor } from "./chat";
import { after, bodyFor, DIALECTS } from "./dialects/all";
import { resultOf } from "./tool";

export interface View {
  session: string;
  exchanges: readonly Exchange[];
  /** Of every turn, also those whose exchange was rewritten since. */
  marks: readonly string[];
  isRunning: boolean;
  /** Where it was taken over from a kept turn: what of that the playground does not have. */
  left?: readonly string[];
}

/** So often in a row the results of tools are sent by themselves. */
const MOST_ROUNDS = 4;

export class Conversation {
  private view: View = begun();
  private stopping: AbortController | undefined;
  private next = 1;
  private readonly watchers = new Set<() => void>();

  constructor(
    private readonly transmit: typeof sendTurn,
    private readonly clock: () => number = () => performance.now(),
  ) {}

  readonly watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  readonly shown = (): View => this.view;

  /** Asks; what follows the exchange `instead`, and it, make room. Resolves when the answer asks for nothing more. */
  readonly send = async (question: string, ways: Ways, instead?: number): Promise<void> => {
    if (this.view.isRunning) return;
    const at = this.view.exchanges.findIndex((each) => each.id === instead);
    let last = await this.turn(at === -1 ? this.view.exchanges : this.view.exchanges.slice(0, at), question, ways);
    for (let round = 0; round < MOST_ROUNDS && last?.state === "done" && last.results.length > 0; round += 1) {
      last = await this.turn(this.view.exchanges, "", ways);
    }
  };

  private async turn(past: readonly Exchange[], question: string, { key, ...settings }: Ways): Promise<Exchange | undefined> {
    const { path, headers, streamed } = DIALECTS[settings.api];
    const body = { ...bodyFor(past, question, settings), ...streamed };
    const size = new TextEncoder().encode(JSON.stringify(body)).length;
    const id = this.next++;
    const stopping = new AbortController();
    this.stopping = stopping;
    const fresh = { id, api: settings.api, question, answer: "", state: "running", size, output: [], calls: [], results: [] } as const;
    this.become({ exchanges: [...past, fresh], isRunning: true });
    const from = this.clock();
    const passed = () => this.clock() - from;
    try {
      const listen = {
        onHeaders: (travelled: Exchange["travelled"]) => travelled && this.change(id, (each) => ({ ...each, travelled })),
        onEvent: (event: Parameters<typeof after>[1]) => this.change(id, (each) => after(each, event, passed())),
      };
      await this.transmit(key, body, listen, { path: path(settings.model), headers, session: this.view.session, signal: stopping.signal });
      return this.end(id, { state: "done", total: passed() });
    } catch (error) {
      const state = stopping.signal.aborted ? "stopped" : "failed";
      return this.end(id, { state, total: passed(), ...(state === "failed" ? { error } : {}) });
    }
  }

  readonly stop = (): void => this.stopping?.abort();

  /** A new conversation, with a session of its own. */
  readonly clear = (): void => {
    this.stop();
    this.view = begun();
    this.become({});
  };

  /** Goes on with what was said elsewhere, in a session of its own. */
  readonly takeOver = (exchanges: readonly Omit<Exchange, "id">[], left: readonly string[]): void => {
    this.stop();
    this.view = begun();
    this.become({ exchanges: exchanges.map((each) => ({ ...each, id: this.next++ })), left });
  };

  /** A turn that the log tells of. */
  readonly logged = (turn: { id: string; requestID: string; bytesSent: number }): void => {
    const found = this.view.exchanges.find((each) => each.travelled?.requestID === turn.requestID);
    if (found !== undefined) this.change(found.id, (each) => ({ ...each, logged: { turn: turn.id, bytesSent: turn.bytesSent } }));
  };

  private change(id: number, by: (exchange: Exchange) => Exchange): void {
    this.become({ exchanges: this.view.exchanges.map((each) => (each.id === id ? by(each) : each)) });
  }

  private end(id: number, part: Partial<Exchange>): Exchange | undefined {
    const exchange = this.view.exchanges.find((each) => each.id === id);
    // A conversation that was cleared meanwhile has begun anew.
    if (exchange === undefined) return undefined;
    const over = { ...exchange, ...part };
    if (over.state === "done") over.results = over.calls.map((call) => resultOf(call, new Date()));
    this.become({ marks: [...this.view.marks, wordFor(over)], isRunning: false });
    this.change(id, () => over);
    return over;
  }

  private become(part: Partial<View>): void {
    this.view = { ...this.view, ...part };
    for (const watch of this.watchers) watch();
  }
}

function begun(): View {
  return { session: newSession(), exchanges: [], marks: [], isRunning: false };
}

/** Over plain HTTP at another name than localhost browsers give no `randomUUID`. */
function newSession(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return `playground-${[...bytes].map((each) => each.toString(16).padStart(2, "0")).join("")}`;
}
