/** What the gateway finds by a text: any id of a turn, a session, a trace, a key, a name. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useCanSearchBodies } from "@/api/bodySearch";
import { ask } from "@/api/client";
import { graphql, type ResultOf } from "@/api/graphql";
import { useMe } from "@/api/me";
import { useSettled } from "@/shared/clock";
import { useFormat } from "@/shared/format";
import { type Entry, isLongEnough } from "./found";

const FIND = graphql(`
  query Find($text: String!) {
    find(text: $text) {
      turns { by turn { id requestID responseID modelAsked startedAt } }
      sessions { name turn { startedAt } }
      traces { name turn { startedAt } }
      keys { id name prefix }
      channels { id name }
      models
      users { id email name }
    }
  }
`);
type Found = ResultOf<typeof FIND>["find"];

export interface Finds {
  /** Turns and runs, by their ids: they mean what was typed more than any name does. */
  ids: Entry[];
  names: Entry[];
  /** The text that they are of: what is typed is asked for once it rests. */
  text: string;
  isAsking: boolean;
  /** The only thing found, where that is a turn. */
  turn: Entry | undefined;
}

export function useFinds(typed: string): Finds {
  const { permissions } = useMe();
  const text = useSettled(typed.trim(), 200);
  const isAsked = isLongEnough(text) && permissions.includes("turns:read");
  const query = useQuery({
    queryKey: ["find", text],
    queryFn: ({ signal }) => ask(FIND, { text }, signal).then((told) => told.find),
    enabled: isAsked,
    // What is pasted may be a key: it is not kept.
    gcTime: 0,
  });
  const { turns, runs, names } = useEntries(isAsked ? query.data : undefined);
  const bodies = useBodyEntry(text);
  return {
    ids: [...turns, ...runs],
    names: [...names, ...bodies],
    text,
    isAsking: isAsked && query.isFetching,
    turn: turns.length === 1 && runs.length === 0 ? turns[0] : undefined,
  };
}

/** The way to the turns whose bodies have the text, where they can be searched. */
function useBodyEntry(text: string): Entry[] {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const canSearch = useCanSearchBodies();
  if (!canSearch || !isLongEnough(text)) return [];
  const run = () => void navigate({ to: "/turns", search: { text } });
  return [{ group: t("places.turns"), name: t("palette.inBodies", { text, interpolation: { escapeValue: false } }), run }];
}

function useEntries(found: Found | undefined): { turns: Entry[]; runs: Entry[]; names: Entry[] } {
  const { t } = useTranslation();
  const format = useFormat();
  const navigate = useNavigate();
  if (found === undefined) return { turns: [], runs: [], names: [] };
  const entry = (group: string, name: string, run: () => unknown): Entry => ({ group, name, run: () => void run() });
  const log = (search: Record<string, string>) => navigate({ to: "/turns", search });
  const named = (by: string, turn: Found["turns"][number]["turn"]) =>
    ({ request_id: turn.requestID, response_id: turn.responseID })[by] ?? turn.id;
  const dated = (name: string, at: string) => `${name} \u00b7 ${format.dateTime(at)}`;
  return {
    turns: found.turns.map(({ by, turn }) =>
      entry(t("places.turns"), dated(named(by, turn), turn.startedAt), () => log({ open: turn.id })),
    ),
    runs: [
      ...found.sessions.map(({ name, turn }) => entry(t("places.sessions"), dated(name, turn.startedAt), () => log({ session: name }))),
      ...found.traces.map(({ name, turn }) => entry(t("palette.traces"), dated(name, turn.startedAt), () => log({ trace: name }))),
    ],
    names: [
      ...found.keys.map((key) => entry(t("places.keys"), key.name, () => navigate({ to: "/keys", search: { key: key.id } }))),
      ...found.channels.map((channel) =>
        entry(t("places.channels"), channel.name, () => navigate({ to: "/channels/$channel", params: { channel: channel.id } })),
      ),
      ...found.models.map((model) => entry(t("palette.models"), model, () => log({ model }))),
      ...found.users.map((user) => entry(t("places.users"), user.email, () => navigate({ to: "/users", search: { user: user.id } }))),
    ],
  };
}
