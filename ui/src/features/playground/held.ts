/** What the playground holds while somebody is signed in: in this page's memory, and nowhere else. */
import { sendTurn } from "@/api/dataPlane";
import { Conversation } from "./conversation";

interface Held {
  owner: string;
  key: string;
  conversation: Conversation;
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
