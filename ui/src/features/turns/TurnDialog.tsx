/** One turn: why it travelled as it did, its time, its attempts, what the client was told. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { useNames } from "@/api/names";
import { Badge } from "@/shared/Badge";
import { Button } from "@/shared/Button";
import { Snippet } from "@/shared/Copy";
import { Dialog } from "@/shared/Dialog";
import { bytes, useFormat } from "@/shared/format";
import { wordOf } from "@/shared/marks";
import { Failure, SkeletonRows } from "@/shared/states";
import { TurnsLink } from "@/shared/TurnsLink";
import { bodiesQuery, type Turn, turnQuery } from "./api";
import { TurnTimes } from "./TurnTimes";

export function TurnDialog({ id, row, onClose }: { id: string; row: Turn | undefined; onClose: () => void }) {
  const { t } = useTranslation("turns");
  const found = useQuery({ ...turnQuery(id), enabled: row === undefined });
  const turn = row ?? found.data?.turn;
  return (
    <Dialog title={t("one")} place="side" isWide onClose={onClose}>
      {found.isError && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      {turn === undefined ? !found.isError && <SkeletonRows /> : <Detail turn={turn} />}
    </Dialog>
  );
}

function Detail({ turn }: { turn: Turn }) {
  const { t } = useTranslation(["turns", "app"]);
  const format = useFormat();
  const word = wordOf(turn);
  const isFresh = turn.continuity === "fresh";
  return (
    <div className="space-y-6">
      <section className="space-y-2">
        <p className="flex flex-wrap items-center gap-2">
          <Badge tone={turn.errorCode === "" ? "good" : "bad"}>{t(`app:outcomes.${turn.outcome}`)}</Badge>
          <Badge shape={false}>{t(`app:continuity.${turn.continuity}`)}</Badge>
          <Badge shape={false}>{t(`app:transports.${turn.transport}`)}</Badge>
          <span className="text-soft">{format.dateTime(turn.startedAt)}</span>
        </p>
        <div className="rounded-xl bg-sunken px-4 py-3">
          <p className="text-[13px] text-soft">{isFresh ? t("whyNot") : t("why")}</p>
          <p className="font-medium">{t(`app:reasons.${turn.reason || turn.continuity || word}`, { defaultValue: turn.reason || word })}</p>
        </div>
        {turn.errorCode !== "" && (
          <p className="rounded-xl bg-bad-wash px-4 py-3 text-bad">
            ✕ HTTP {turn.status} · <code className="font-mono">{turn.errorCode}</code>
          </p>
        )}
      </section>
      <TurnTimes turn={turn} />
      <Facts turn={turn} />
      <Headers turn={turn} />
      <Bodies id={turn.id} />
    </div>
  );
}

function Facts({ turn }: { turn: Turn }) {
  const { t } = useTranslation("turns");
  const format = useFormat();
  const names = useNames();
  const facts = [
    [t("model"), turn.modelServed !== "" && turn.modelServed !== turn.modelAsked ? `${turn.modelAsked} → ${turn.modelServed}` : turn.modelAsked],
    [t("channel"), turn.channelName || "–"],
    [t("key"), turn.keyName || "–"],
    [t("project"), names.project(turn.projectID)],
    [t("connection"), turn.connection === null ? "–" : `#${turn.connection}`],
    [t("bytes"), t("bytesPair", { received: bytes(turn.bytesReceived), sent: bytes(turn.bytesSent) })],
    [
      t("tokensAll"),
      t("tokensTold", {
        input: format.whole(turn.inputTokens),
        cached: format.whole(turn.cachedTokens),
        output: format.whole(turn.outputTokens),
        reasoning: format.whole(turn.reasoningTokens),
      }),
    ],
    [t("cost"), format.money(turn.costUsd)],
    [t("attempts"), t("attemptsTold", { count: turn.attempts })],
  ];
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-5 gap-y-1.5">
      {facts.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-soft">{name}</dt>
          <dd className="min-w-0 break-words">{value}</dd>
        </div>
      ))}
      {turn.session !== "" && (
        <div className="contents">
          <dt className="text-soft">{t("session")}</dt>
          <dd>
            <TurnsLink search={{ session: turn.session }} className="font-mono text-[12.5px] underline">
              {turn.session}
            </TurnsLink>
          </dd>
        </div>
      )}
    </dl>
  );
}

/** The headers by which the client was told the same. */
function Headers({ turn }: { turn: Turn }) {
  const { t } = useTranslation("turns");
  const lines = [
    ["x-request-id", turn.requestID],
    ["x-longwire-channel", turn.channelName],
    ["x-longwire-transport", turn.transport],
    ["x-longwire-continuity", turn.continuity],
    ["x-longwire-reason", turn.reason],
  ];
  return (
    <section>
      <h3 className="mb-2 font-semibold">{t("headers")}</h3>
      <Snippet
        label={t("headers")}
        text={[`HTTP ${turn.status}`, ...lines.filter(([, value]) => value !== "").map(([name, value]) => `${name}: ${value}`)].join("\n")}
      />
    </section>
  );
}

function Bodies({ id }: { id: string }) {
  const { t } = useTranslation("turns");
  const mayRead = useMay("bodies:read");
  const [isWanted, setWanted] = useState(false);
  const found = useQuery({ ...bodiesQuery(id), enabled: isWanted });
  if (!mayRead) return null;
  return (
    <section className="space-y-3">
      <h3 className="font-semibold">{t("bodies")}</h3>
      {!isWanted && <Button onClick={() => setWanted(true)}>{t("showBodies")}</Button>}
      {found.isError && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      {found.isFetching && <SkeletonRows rows={2} />}
      {found.data === null && <p className="text-soft">{t("noBodies")}</p>}
      {found.data != null && (
        <>
          <Snippet label={t("request")} text={pretty(found.data.request)} />
          <Snippet label={t("response")} text={pretty(found.data.response)} />
        </>
      )}
    </section>
  );
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
