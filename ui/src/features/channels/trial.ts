/** The steps of a trial, and how each went. */
import type { Channel } from "./api";
import type { Tested } from "./testChannel";

/** A step that was not come to, or that there is nothing to say of, is `skipped`. */
export type State = "done" | "failed" | "waits" | "skipped";
export type Step = "handshake" | "firstEvent" | "second" | "cached";

/** Whether a trial in an API, "" for the usual one, shakes hands for a WebSocket. */
function hasHandshake(channel: Pick<Channel, "defaultEndpoints">, api: string): boolean {
  return channel.defaultEndpoints.some((each) => each.apiFormat === (api || "responses") && each.transport !== "http");
}

/** The steps of a trial that is asked for in an API; undefined of one that is not over. */
export function stepsOf(channel: Pick<Channel, "defaultEndpoints">, api: string, tested: Tested | undefined): [Step, State][] {
  const overWebSocket = tested?.transport ? tested.transport !== "http" : hasHandshake(channel, tested?.api || api);
  const names: Step[] = overWebSocket ? ["handshake", "firstEvent", "second", "cached"] : ["firstEvent", "second", "cached"];
  if (tested === undefined) return names.map((name) => [name, "waits"]);
  const isDone: Record<Step, boolean> = {
    handshake: tested.handshakeMs !== null,
    firstEvent: tested.firstEventMs !== null,
    second: tested.continued || (!overWebSocket && tested.success),
    cached: tested.cachedTokens !== null,
  };
  const broke = names.find((name) => !isDone[name]);
  return names.map((name) => {
    if (isDone[name]) return [name, "done"];
    return [name, name === broke && name !== "cached" ? "failed" : "skipped"];
  });
}
