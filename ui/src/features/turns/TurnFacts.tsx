import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "@tanstack/react-router";
import { useNames } from "@/api/names";
import { Mono } from "@/shared/Badge";
import { Facts } from "@/shared/Facts";
import { bytes, UNKNOWN, useFormat } from "@/shared/format";
import { TurnsLink, type TurnsSearch } from "@/shared/TurnsLink";
import { COLUMNS, detailed, type Group, textOf, type Turn } from "./columns";

/** The columns that a turn's detail tells. */
export function TurnFacts({ turn }: { turn: Turn }) {
  return (
    <div className="grid gap-6 md:grid-cols-2">
      <Facet group="figures" turn={turn} drawn={useFigures(turn)} />
      <Facet group="whose" turn={turn} drawn={useOrigins(turn)} />
    </div>
  );
}

/** What is more than the text of its column. */
type Drawn = { [Name in keyof Turn]?: ReactNode };

function Facet({ group, turn, drawn }: { group: Group; turn: Turn; drawn: Drawn }) {
  const { t } = useTranslation("turns");
  const format = useFormat();
  return (
    <section aria-label={t(group)}>
      <h3 className="mb-2 font-semibold">{t(group)}</h3>
      <Facts facts={detailed(group).map((name) => [t(COLUMNS[name].label), drawn[name] ?? textOf(name, turn, format)])} />
    </section>
  );
}

function useFigures(turn: Turn): Drawn {
  const { t } = useTranslation(["turns", "app"]);
  const attempts = (count: number) => (count > 1 ? t("againTold", { count }) : count === 1 ? "1" : t("neverSent"));
  const saved = turn.bytesReceived - turn.bytesSent;
  return {
    bytesSent: saved > 0 && turn.bytesSent > 0 ? t("sentLess", { sent: bytes(turn.bytesSent), saved: bytes(saved) }) : undefined,
    isEstimated: turn.isEstimated ? t("usageEstimated") : turn.inputTokens === null ? UNKNOWN : t("usageTold"),
    attempts: attempts(turn.attempts),
    continuity: t(`app:continuity.${turn.continuity}`, { defaultValue: turn.continuity }),
    errorCode: turn.errorCode === "" ? undefined : <Filtered search={{ error: turn.errorCode }}>{turn.errorCode}</Filtered>,
  };
}

function useOrigins(turn: Turn): Drawn {
  const { t } = useTranslation(["turns", "app"]);
  const names = useNames();
  const api = t(`app:apis.${turn.apiFormat}`, { defaultValue: turn.apiFormat });
  const upstream = t(`app:apis.${turn.upstreamAPI}`, { defaultValue: turn.upstreamAPI });
  const isChannelThere = names.channels.some((each) => each.id === turn.channelID);
  return {
    modelAsked: <Filtered search={{ model: turn.modelAsked }}>{turn.modelAsked}</Filtered>,
    apiFormat: <TurnsLink search={{ api: turn.apiFormat }} className="underline">{turn.streams ? t("streamed", { api }) : api}</TurnsLink>,
    upstreamAPI:
      turn.upstreamAPI === "" ? UNKNOWN : <TurnsLink search={{ upstream: turn.upstreamAPI }} className="underline">{upstream}</TurnsLink>,
    dropped: turn.dropped === "" ? undefined : <Mono className="break-all">{turn.dropped}</Mono>,
    channelName: isChannelThere ? (
      <Link to="/channels/$channel" params={{ channel: turn.channelID }} className="underline">
        {turn.channelName}
      </Link>
    ) : undefined,
    session: turn.session === "" ? undefined : <Filtered search={{ session: turn.session }}>{turn.session}</Filtered>,
    trace:
      turn.trace === "" ? undefined : (
        <Link to="/traces/$trace" params={{ trace: turn.trace }} className="font-mono text-[12.5px] break-all underline">
          {turn.trace}
        </Link>
      ),
    keyName: turn.keyID === "" ? UNKNOWN : <TurnsLink search={{ key: turn.keyID }} className="underline">{turn.keyName || turn.keyID}</TurnsLink>,
    projectID: turn.projectID === "" ? undefined : names.project(turn.projectID),
    changed: turn.changed === "" ? undefined : <Mono className="break-words">{turn.changed}</Mono>,
    responseID: turn.responseID === "" ? undefined : <Mono className="break-all">{turn.responseID}</Mono>,
    requestID: <Mono className="break-all">{turn.requestID}</Mono>,
    id: <Mono>{turn.id}</Mono>,
    node: turn.node === "" ? undefined : <Filtered search={{ node: turn.node }}>{turn.node}</Filtered>,
  };
}

function Filtered({ search, children }: { search: TurnsSearch; children: string }) {
  return (
    <TurnsLink search={search} className="font-mono text-[12.5px] break-all underline">
      {children}
    </TurnsLink>
  );
}
