/** The live connections, kept as the gateway tells of their changes. */
import { useCallback, useState } from "react";
import { graphql, type ResultOf } from "@/api/graphql";
import { useSubscription } from "@/api/live";

const CHANGES = graphql(`
  subscription SessionChanges {
    sessionChanges {
      isWhole
      changed {
        connection channel channelID scope session state age lifetime waiting
        turns continued bytesSaved last recent
      }
      gone
    }
  }
`);

type Told = ResultOf<typeof CHANGES>["sessionChanges"];

export type LiveSession = Told["changed"][number] & {
  /** By this machine's clock, so that its age goes on without being told. */
  bornAt: number;
};

export type Sessions = ReadonlyMap<number, LiveSession>;

/** Returns the sessions after a change; those that did not change stay the same objects. */
export function after(before: Sessions, told: Told, now: number): Sessions {
  const sessions = new Map(told.isWhole ? [] : before);
  for (const number of told.gone) sessions.delete(number);
  for (const session of told.changed) {
    const known = told.isWhole ? undefined : before.get(session.connection);
    const bornAt = known?.bornAt ?? now - session.age * 1_000;
    sessions.set(session.connection, { ...session, bornAt });
  }
  return sessions;
}

export function useSessions(): { sessions: Sessions | undefined; failure: unknown } {
  const [sessions, setSessions] = useState<Sessions>();
  const [failure, setFailure] = useState<unknown>();
  const onValue = useCallback((value: ResultOf<typeof CHANGES>) => {
    setFailure(undefined);
    setSessions((before) => after(before ?? new Map(), value.sessionChanges, Date.now()));
  }, []);
  useSubscription(CHANGES, {}, onValue, setFailure);
  return { sessions, failure };
}
