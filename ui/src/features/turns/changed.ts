/** What changed of a turn, read from its one line of text (docs/reference/headers.md, "What changed"). */

const ITEM = /^input\[(\d+)\] of (\d+): ([a-z_]+(?: message)?)( of the reply)?(?: (inserted|removed|moved))?$/;
const LATER = /^input\[(\d+)\] or later of (\d+)$/;

export interface ItemChange {
  /** Counted from 1. */
  number: number;
  count: number;
  /** "" where it is one of the later ones. */
  kind: string;
  isOfReply: boolean;
  edit: "changed" | "inserted" | "removed" | "moved" | "later";
}
export interface Change {
  item: ItemChange | null;
  properties: string;
}

export function changeOf(text: string): Change {
  const [first = "", ...rest] = text.split("; ");
  const item = itemOf(first);
  return item === null ? { item, properties: text } : { item, properties: rest.join("; ") };
}

function itemOf(text: string): ItemChange | null {
  const later = LATER.exec(text);
  if (later !== null) {
    return { number: Number(later[1]) + 1, count: Number(later[2]), kind: "", isOfReply: false, edit: "later" };
  }
  const found = ITEM.exec(text);
  if (found === null) return null;
  return {
    number: Number(found[1]) + 1,
    count: Number(found[2]),
    kind: (found[3] ?? "item").replace(" ", "_"),
    isOfReply: found[4] !== undefined,
    edit: (found[5] ?? "changed") as ItemChange["edit"],
  };
}
