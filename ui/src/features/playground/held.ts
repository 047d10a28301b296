/** What the playground holds while somebody is signed in: in this page's memory, and nowhere else. */
import { sendTurn } from "@/api/dataPlane";
import type { Ways } from "./chat";
import { Conversation } from "./conversation";

interface Held {
  owner: string;
  key: string;
  conversation: Conversation;
  /** Those of a conversation that was taken over, until the page has them. */
  settings?: Partial<Ways> | undefined;
}

let held: Held | undefined;

/** It outlives the visit of another page, not a reload, and is nobody else's. */
export function heldBy(owner: string): Held {
  if (held?.owner !== owner) {
    held?.conversation.stop();
    held = { owner, key: "", conversation: new Conversation(sendTurn) };
  }
  return held;
}

export function keepKey(key: string): void {
  if (held !== undefined) held.key = key;
}

/** Goes on with a conversation that was held elsewhere. */
export function takeOver(owner: string, exchanges: Parameters<Conversation["takeOver"]>[0], left: readonly string[], settings: Partial<Ways>): void {
  const own = heldBy(owner);
  own.conversation.takeOver(exchanges, left);
  own.settings = settings;
}

/** The settings of a conversation that was taken over, once. */
export function settingsTakenOver(): Partial<Ways> | undefined {
  const settings = held?.settings;
  if (held !== undefined) held.settings = undefined;
  return settings;
}
