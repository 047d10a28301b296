/** How far the guide has come, as the gateway knows it: a reload, or another browser, loses nothing. */
import { queryOptions, useQuery } from "@tanstack/react-query";
import { ask } from "@/api/client";
import { graphql, type ResultOf } from "@/api/graphql";
import { useMay } from "@/api/me";

const PROGRESS = graphql(`
  query Progress($since: DateTime!, $until: DateTime!) {
    channels(first: 1, statuses: [ENABLED]) { nodes { id name models } }
    apiKeys(first: 1) { nodes { id } }
    usage(since: $since, until: $until, span: DAY) { totals { turns continued failures } }
    turns(first: 50) { nodes { session errorCode } }
  }
`);
export type Facts = ResultOf<typeof PROGRESS>;

export const STEPS = ["channel", "test", "key", "client", "continued"] as const;
export type StepName = (typeof STEPS)[number];

const DAY = 86_400_000;
const SPAN = 90 * DAY;
/** Turns of these sessions were sent by this page itself. */
const OWN = /^playground-/;

export const progressQuery = queryOptions({
  queryKey: ["progress"],
  queryFn: ({ signal }) => {
    const until = (Math.floor(Date.now() / DAY) + 1) * DAY;
    return ask(PROGRESS, { since: new Date(until - SPAN).toISOString(), until: new Date(until).toISOString() }, signal);
  },
  staleTime: 60_000,
});

/** Which steps are done; `isTested`: this page saw a trial go well, of which the gateway keeps nothing. */
export function stepsDone(facts: Facts | undefined, isTested: boolean): Record<StepName, boolean> {
  const totals = facts?.usage.totals ?? { turns: 0, continued: 0, failures: 0 };
  const recent = facts?.turns.nodes ?? [];
  const hasChannel = (facts?.channels.nodes.length ?? 0) > 0;
  return {
    channel: hasChannel,
    test: hasChannel && (isTested || totals.turns > totals.failures),
    key: (facts?.apiKeys.nodes.length ?? 0) > 0,
    // The page sends two turns, not fifty: behind so many there is a client.
    client: recent.some((each) => each.errorCode === "" && !OWN.test(each.session)) || totals.turns - totals.failures > recent.length,
    continued: totals.continued > 0,
  };
}

/** Whether somebody who can take its steps has not seen a turn continued yet. */
export function useIsGuideWanted(): boolean {
  const mayTake = useMay("channels:write");
  const { data } = useQuery({ ...progressQuery, enabled: mayTake });
  return mayTake && data !== undefined && data.usage.totals.continued === 0;
}

const TESTED = "longwire-tested";

export function isTested(channelID: string | undefined): boolean {
  return channelID !== undefined && localStorage.getItem(TESTED) === channelID;
}

export function noteTested(channelID: string): void {
  localStorage.setItem(TESTED, channelID);
}
