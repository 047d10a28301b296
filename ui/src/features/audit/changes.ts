/** The changes of an entry, field by field: each is told as its old and its new value. */
export interface Change {
  field: string;
  before: string;
  after: string;
}

function shown(value: unknown): string {
  if (value === null || value === undefined || value === "" || value === false) return "–";
  if (typeof value === "object" && Object.keys(value).length === 0) return "–";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

export function changesOf(changes: unknown): Change[] {
  if (typeof changes !== "object" || changes === null) return [];
  const told = Object.entries(changes).map(([field, pair]) => {
    const [before, after] = Array.isArray(pair) && pair.length === 2 ? (pair as unknown[]) : [undefined, pair];
    return { field, before: shown(before), after: shown(after) };
  });
  // What was nothing and is nothing says nothing: a new channel has many such fields.
  return told.filter((change) => change.before !== change.after);
}
