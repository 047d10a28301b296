/** One connection: its life so far, turn by turn. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { useNames } from "@/api/names";
import { Button } from "@/shared/Button";
import { Confirm, Dialog } from "@/shared/Dialog";
import { Facts } from "@/shared/Facts";
import { bytes } from "@/shared/format";
import { Strip } from "@/shared/Strip";
import { Empty, Failure, SkeletonRows } from "@/shared/states";
import { tell } from "@/shared/toasts";
import { closeSession, turnsQuery } from "./api";
import { Age } from "./columns";
import type { LiveSession } from "./live";
import { RunLink } from "./RunLink";
import { Timeline } from "./Timeline";

export function SessionDialog({
  id,
  session: current,
  withNode,
  onClose,
}: {
  id: string;
  session: LiveSession | undefined;
  withNode: boolean;
  onClose: () => void;
}) {
  const { t } = useTranslation("sessions");
  const mayClose = useMay("sessions:close");
  const [asks, setAsks] = useState(false);
  // A connection that ended while it was looked at stays in sight.
  const [last, setLast] = useState(current);
  if (current !== undefined && current !== last) setLast(current);
  const closing = useMutation({
    mutationFn: () => closeSession(id),
    onSuccess: () => {
      setAsks(false);
      tell(t("closes"));
    },
  });
  return (
    <Dialog title={last === undefined ? id : `${last.channel} #${last.connection}`} place="side" isWide onClose={onClose}>
      {last === undefined ? (
        <Empty title={t("gone")}>{t("goneText")}</Empty>
      ) : (
        <div className="space-y-5">
          {current === undefined && <p className="rounded-lg bg-sunken px-3 py-2 text-soft">{t("ended")}</p>}
          <Strip turns={last.recent} isInFlight={current?.state === "leased"} isEnded={current === undefined} />
          <div className="flex flex-wrap items-start justify-between gap-3">
            <div className="min-w-52">{current !== undefined && <Age session={last} />}</div>
            {mayClose && current !== undefined && (
              <Button look="danger" isSmall onClick={() => setAsks(true)}>
                {t("close")}
              </Button>
            )}
          </div>
          <SessionFacts session={last} withNode={withNode} />
          <Turns session={last} />
        </div>
      )}
      {asks && (
        <Confirm
          title={t("close")}
          action={t("close")}
          isBusy={closing.isPending}
          onClose={() => setAsks(false)}
          onConfirm={() => closing.mutate()}
        >
          {t("closeText")}
        </Confirm>
      )}
    </Dialog>
  );
}

/** What the scope of a key's sessions begins with; its id follows. */
const KEY_SCOPE = "api_key:";

function SessionFacts({ session, withNode }: { session: LiveSession; withNode: boolean }) {
  const { t } = useTranslation(["sessions", "app"]);
  const names = useNames();
  const whose = (scope: string) => (scope.startsWith(KEY_SCOPE) ? names.key(scope.slice(KEY_SCOPE.length)) : scope);
  const facts: [string, string][] = [
    [t("session"), session.session === "" ? t("unnamed") : session.session],
    ...(withNode ? [[t("node"), session.node] as [string, string]] : []),
    [t("scope"), session.keyName === "" ? whose(session.scope) : session.keyName],
    [t("model"), session.model === "" ? "–" : session.model],
    [t("continued"), `${session.continued} / ${session.turns}`],
    [t("saved"), bytes(session.bytesSaved)],
    [t("queue"), String(session.waiting)],
    [t("last"), session.last === "" ? "–" : t(`app:reasons.${session.last}`, { defaultValue: session.last })],
  ];
  return (
    <>
      <Facts facts={facts} />
      {session.run !== "" && session.turns > 0 && (
        <p className="flex flex-wrap gap-x-4">
          <RunLink kind="session" id={session.run} className="underline">
            {t("whole")}
          </RunLink>
          {session.trace !== "" && (
            <RunLink kind="trace" id={session.trace} className="underline">
              {t("trace")}
            </RunLink>
          )}
        </p>
      )}
    </>
  );
}

function Turns({ session }: { session: LiveSession }) {
  const { t } = useTranslation("sessions");
  const turns = useQuery(turnsQuery(session));
  return (
    <section aria-label={t("timeline")}>
      <h3 className="mb-2 font-semibold">{t("timeline")}</h3>
      {turns.isError && <Failure error={turns.error} onRetry={() => void turns.refetch()} />}
      {turns.isPending && <SkeletonRows rows={4} />}
      {turns.data !== undefined && <Timeline turns={turns.data} />}
    </section>
  );
}
