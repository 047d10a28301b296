/** Texts by namespace: a feature's folder is the name of its own, `app` what all share. */
export function gathered(files: Record<string, object>): Record<string, object> {
  return Object.fromEntries(
    Object.entries(files).map(([path, texts]) => [/features\/([^/]+)\//.exec(path)?.[1] ?? "app", texts]),
  );
}
