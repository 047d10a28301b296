/** Two requests side by side: members, then items one by one; what is equal is folded. */

type Json = unknown;
export interface Line {
  text: string;
  isOther: boolean;
}
export interface Pair {
  name: string;
  before: Line[];
  now: Line[];
}
/** So many equal items in a row, or a pair of which at least one side has something. */
export type Row = { equal: number; name: string } | Pair;

const LISTS = ["input", "messages", "contents"] as const;
/** Longer texts are shown without marks: to compare them takes the square of their lines. */
const MOST_LINES = 1_500;

/** The rows of two bodies; nothing where one of them is no JSON object. */
export function rowsOf(before: string, now: string): Row[] {
  const [old, own] = [objectOf(before), objectOf(now)];
  if (old === null || own === null) return [];
  const list = LISTS.find((name) => name in own || name in old) ?? "input";
  const names = [...new Set([...Object.keys(old), ...Object.keys(own)])].filter((name) => name !== list);
  const members = names
    .filter((name) => spelled(old[name]) !== spelled(own[name]))
    .map((name) => pairOf(name, spelled(old[name]), spelled(own[name])));
  return [...members, ...itemRows(list, itemsOf(old[list]), itemsOf(own[list]))];
}

/** Items that both begin with and both end with are equal; those between stand beside each other. */
function itemRows(list: string, old: string[], own: string[]): Row[] {
  let begin = 0;
  while (begin < Math.min(old.length, own.length) && old[begin] === own[begin]) begin += 1;
  let end = 0;
  const most = Math.min(old.length, own.length) - begin;
  while (end < most && old.at(-1 - end) === own.at(-1 - end)) end += 1;
  const rows: Row[] = begin > 0 ? [{ equal: begin, name: list }] : [];
  const length = Math.max(old.length, own.length) - end;
  for (let at = begin; at < length; at += 1) {
    const [left, right] = [at < old.length - end ? old[at] : "", at < own.length - end ? own[at] : ""];
    if (left === right) rows.push({ equal: 1, name: list });
    else rows.push(pairOf(`${list}[${at}]`, left ?? "", right ?? ""));
  }
  return end > 0 ? [...rows, { equal: end, name: list }] : rows;
}

function pairOf(name: string, before: string, now: string): Pair {
  const [old, own] = [linesOf(before), linesOf(now)];
  const [keptOld, keptOwn] = kept(old, own);
  return {
    name,
    before: old.map((text, at) => ({ text, isOther: !keptOld.has(at) })),
    now: own.map((text, at) => ({ text, isOther: !keptOwn.has(at) })),
  };
}

/** The indexes of a longest common subsequence of lines, on either side. */
function kept(old: string[], own: string[]): [Set<number>, Set<number>] {
  const [left, right] = [new Set<number>(), new Set<number>()];
  if (old.length > MOST_LINES || own.length > MOST_LINES) return [left, right];
  const width = own.length + 1;
  const longest = new Uint16Array((old.length + 1) * width);
  const at = (row: number, column: number) => longest[row * width + column] ?? 0;
  for (let row = old.length - 1; row >= 0; row -= 1) {
    for (let column = own.length - 1; column >= 0; column -= 1) {
      longest[row * width + column] =
        old[row] === own[column] ? at(row + 1, column + 1) + 1 : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  for (let row = 0, column = 0; row < old.length && column < own.length; ) {
    if (old[row] === own[column]) {
      left.add(row++);
      right.add(column++);
    } else if (at(row + 1, column) >= at(row, column + 1)) row += 1;
    else column += 1;
  }
  return [left, right];
}

const linesOf = (text: string) => (text === "" ? [] : text.split("\n"));

function itemsOf(value: Json): string[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value.map(spelled) : [spelled(value)];
}

/** A value with its keys in order, so that their order makes no difference. */
export function spelled(value: Json): string {
  if (value === undefined) return "";
  return JSON.stringify(value, (_, each: Json) => (isObject(each) ? Object.fromEntries(Object.entries(each).sort(byKey)) : each), 2);
}

const byKey = ([a]: [string, Json], [b]: [string, Json]) => (a < b ? -1 : 1);

function isObject(value: Json): value is Record<string, Json> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function objectOf(text: string): Record<string, Json> | null {
  try {
    const value: Json = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}
