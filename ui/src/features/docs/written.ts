/** Where it is written about each page, by the first part of its address. */
export const WRITTEN: Readonly<Record<string, string>> = {
  "": "how-to/web-interface.md",
  start: "how-to/web-interface.md",
  sessions: "reference/sessions.md",
  traces: "reference/sessions.md",
  turns: "reference/turn-log.md",
  playground: "how-to/web-interface.md",
  channels: "how-to/real-channel.md",
  "public-models": "how-to/one-name-many-channels.md",
  keys: "how-to/manage.md",
  budgets: "reference/budgets.md",
  projects: "how-to/manage.md",
  alerts: "how-to/be-warned.md",
  users: "reference/roles.md",
  audit: "how-to/manage.md",
  nodes: "how-to/scale-out.md",
  settings: "reference/configuration.md",
  help: "index.md",
};

/** The page about an address; of one that is not there, the map of all pages. */
export const writtenOf = (path: string): string => WRITTEN[path.split("/")[1] ?? ""] ?? "index.md";
