import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "@tanstack/react-router";
import { useNames } from "@/api/names";
import { Mono } from "@/shared/Badge";
import { bytes, UNKNOWN, useFormat } from "@/shared/format";
import { TurnsLink, type TurnsSearch } from "@/shared/TurnsLink";
import type { Turn } from "./api";

export function Facts({ turn }: { turn: Turn }) {
  const { t } = useTranslation(["turns", "app"]);
  return (
    <div className="grid gap-6 md:grid-cols-2">
      <Group name={t("figures")} facts={useFigures(turn)} />
      <Group name={t("whose")} facts={useOrigins(turn)} />
    </div>
  );
}

type Fact = readonly [name: string, value: ReactNode];

function Group({ name, facts }: { name: string; facts: readonly Fact[] }) {
  return (
    <section aria-label={name}>
      <h3 className="mb-2 font-semibold">{name}</h3>
      <dl className="grid grid-cols-[minmax(6rem,auto)_1fr] gap-x-4 gap-y-1.5">
        {facts.map(([term, value]) => (
          <div key={term} className="contents">
            <dt className="text-soft">{term}</dt>
            <dd className="min-w-0 break-words">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function useFigures(turn: Turn): Fact[] {
  const { t } = useTranslation(["turns", "app"]);
  const format = useFormat();
  const attempts = (count: number) => (count > 1 ? t("againTold", { count }) : count === 1 ? "1" : t("neverSent"));
  const saved = turn.bytesReceived - turn.bytesSent;
  return [
    [t("received"), bytes(turn.bytesReceived)],
    [t("sent"), saved > 0 && turn.bytesSent > 0 ? t("sentLess", { sent: bytes(turn.bytesSent), saved: bytes(saved) }) : bytes(turn.bytesSent)],
    [t("input"), format.whole(turn.inputTokens)],
    [t("cached"), format.whole(turn.cachedTokens)],
    [t("output"), format.whole(turn.outputTokens)],
    [t("reasoning"), format.whole(turn.reasoningTokens)],
    [t("cost"), format.money(turn.costUsd)],
    [t("attempts"), attempts(turn.attempts)],
    [t("continuity"), t(`app:continuity.${turn.continuity}`, { defaultValue: turn.continuity })],
    [t("status"), String(turn.status)],
    [t("errorCode"), turn.errorCode === "" ? UNKNOWN : <Filtered search={{ error: turn.errorCode }}>{turn.errorCode}</Filtered>],
  ];
}

function useOrigins(turn: Turn): Fact[] {
  const { t } = useTranslation("turns");
  const names = useNames();
  const isRenamed = turn.modelServed !== "" && turn.modelServed !== turn.modelAsked;
  const isChannelThere = names.channels.some((each) => each.id === turn.channelID);
  return [
    [t("model"), <Filtered search={{ model: turn.modelAsked }}>{turn.modelAsked}</Filtered>],
    [t("served"), isRenamed ? <Mono>{turn.modelServed}</Mono> : turn.modelServed === "" ? UNKNOWN : t("same")],
    [t("api"), turn.streams ? t("streamed", { api: turn.apiFormat }) : turn.apiFormat],
    [
      t("channel"),
      isChannelThere ? (
        <Link to="/channels/$channel" params={{ channel: turn.channelID }} className="underline">
          {turn.channelName}
        </Link>
      ) : (
        turn.channelName || UNKNOWN
      ),
    ],
    [t("connection"), turn.connection === null ? UNKNOWN : `#${turn.connection}`],
    [t("session"), turn.session === "" ? UNKNOWN : <Filtered search={{ session: turn.session }}>{turn.session}</Filtered>],
    [t("key"), turn.keyID === "" ? UNKNOWN : <TurnsLink search={{ key: turn.keyID }} className="underline">{turn.keyName || turn.keyID}</TurnsLink>],
    [t("project"), turn.projectID === "" ? UNKNOWN : names.project(turn.projectID)],
    [t("requestID"), <Mono className="break-all">{turn.requestID}</Mono>],
    [t("turnID"), <Mono>{turn.id}</Mono>],
  ];
}

function Filtered({ search, children }: { search: TurnsSearch; children: string }) {
  return (
    <TurnsLink search={search} className="font-mono text-[12.5px] break-all underline">
      {children}
    </TurnsLink>
  );
}
