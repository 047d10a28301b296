/** The live connections, kept as the gateway tells of their changes. */
import { useCallback, useEffect, useRef, useState } from "react";
import { graphql, type ResultOf } from "@/api/graphql";
import { useSubscription } from "@/api/live";

const CHANGES = graphql(`
  subscription SessionChanges {
    sessionChanges {
      isWhole
      changed {
        id node connection channel channelID scope session state age lifetime waiting
        turns continued bytesSaved last recent keyName model run trace
      }
      gone
      missingNodes
    }
  }
`);

type Told = ResultOf<typeof CHANGES>["sessionChanges"];

export type LiveSession = Told["changed"][number] & {
  /** By this machine's clock, so that its age goes on without being told. */
  bornAt: number;
};

/** By id: numbers of connections are those of one node. */
export type Sessions = ReadonlyMap<string, LiveSession>;

/** Returns the sessions after a change; those that did not change stay the same objects. */
export function after(before: Sessions, told: Told, now: number): Sessions {
  const sessions = new Map(told.isWhole ? [] : before);
  for (const id of told.gone) sessions.delete(id);
  for (const session of told.changed) {
    const known = told.isWhole ? undefined : before.get(session.id);
    const bornAt = known?.bornAt ?? now - session.age * 1_000;
    sessions.set(session.id, { ...session, bornAt });
  }
  return sessions;
}

/** Changes are drawn together, so many ms after the first of them: no eye follows twenty a second. */
const DRAWN_AFTER = 100;

export interface Live {
  sessions: Sessions | undefined;
  /** Nodes that did not answer. */
  missing: readonly string[];
  failure: unknown;
}

export function useSessions(): Live {
  const [sessions, setSessions] = useState<Sessions>();
  const [missing, setMissing] = useState<readonly string[]>([]);
  const [failure, setFailure] = useState<unknown>();
  const waiting = useRef<{ told: Told; at: number }[]>([]);
  const timer = useRef<number>(undefined);
  const draw = useCallback(() => {
    window.clearTimeout(timer.current);
    timer.current = undefined;
    const changes = waiting.current;
    waiting.current = [];
    setSessions((before) => changes.reduce<Sessions>((now, { told, at }) => after(now, told, at), before ?? new Map()));
  }, []);
  const onValue = useCallback(
    ({ sessionChanges: told }: ResultOf<typeof CHANGES>) => {
      setFailure(undefined);
      setMissing(told.missingNodes);
      waiting.current.push({ told, at: Date.now() });
      if (told.isWhole) draw();
      else timer.current ??= window.setTimeout(draw, DRAWN_AFTER);
    },
    [draw],
  );
  useEffect(
    () => () => {
      window.clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );
  useSubscription(CHANGES, {}, onValue, setFailure);
  return { sessions, missing, failure };
}
