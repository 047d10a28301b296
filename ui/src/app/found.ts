/** Which entries of the palette a few letters mean, the best first. */
export interface Entry {
  group: string;
  name: string;
  run: () => void;
}

const MOST = 40;
const SHORTEST = 3;

/** Whether a text says enough to look for it in the log: most words of Chinese have two characters. */
export function isLongEnough(text: string): boolean {
  return text.length >= (/\p{Script=Han}/u.test(text) ? 2 : SHORTEST);
}

/** 0 for no match; a beginning counts more than a part, a part more than scattered letters. */
export function rank(name: string, text: string): number {
  const within = name.toLowerCase();
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return 1;
  if (within.startsWith(wanted)) return 4;
  if (within.includes(wanted)) return 3;
  let from = 0;
  for (const letter of wanted) {
    const at = within.indexOf(letter, from);
    if (at === -1) return 0;
    from = at + 1;
  }
  return 2;
}

export function found(entries: readonly Entry[], text: string): Entry[] {
  return entries
    .map((entry) => ({ entry, rank: rank(entry.name, text) }))
    .filter((each) => each.rank > 0)
    .sort((a, b) => b.rank - a.rank)
    .slice(0, MOST)
    .map((each) => each.entry);
}

/** Entries by their groups, each group where its first entry stands. */
export function grouped(entries: readonly Entry[]): { group: string; entries: Entry[] }[] {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) groups.set(entry.group, [...(groups.get(entry.group) ?? []), entry]);
  return [...groups].map(([group, own]) => ({ group, entries: own }));
}
