/** One session or one trace: its sums, and its turns on a line of time. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useEffect, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useNames } from "@/api/names";
import { Badge } from "@/shared/Badge";
import { Facts } from "@/shared/Facts";
import { bytes, duration, UNKNOWN, useFormat } from "@/shared/format";
import { Figures } from "@/shared/Figures";
import { Card, Page } from "@/shared/Page";
import { StripLegend } from "@/shared/Strip";
import { Failure, SkeletonRows } from "@/shared/states";
import { TurnsLink } from "@/shared/TurnsLink";
import { type Kind, type Run, runQuery } from "./runs";
import { RunTimeline } from "./RunTimeline";
import { timelineOf } from "./timeline";

const session = getRouteApi("/shell/sessions/$session");
const trace = getRouteApi("/shell/traces/$trace");
const MOST_PAGES = 10;

export function SessionPage() {
  return <RunPage kind="session" id={session.useParams().session} />;
}

export function TracePage() {
  return <RunPage kind="trace" id={trace.useParams().trace} />;
}

function RunPage({ kind, id }: { kind: Kind; id: string }) {
  const { t } = useTranslation("sessions");
  const found = useInfiniteQuery(runQuery(kind, id));
  const pages = found.data?.pages;
  const run = pages?.[0];
  const isWhole = !found.hasNextPage;
  const { fetchNextPage } = found;
  const wantsMore = found.hasNextPage && !found.isFetching && (pages?.length ?? 0) < MOST_PAGES;
  useEffect(() => {
    if (wantsMore) void fetchNextPage();
  }, [wantsMore, fetchNextPage]);
  const line = useMemo(() => timelineOf(pages?.flatMap((page) => page.turnLog.nodes) ?? []), [pages]);
  return (
    <Page
      title={t(kind)}
      lead={<span className="font-mono text-[13px] break-all">{run?.name ?? id}</span>}
      actions={
        <Link to="/sessions" search={{ view: kind === "session" ? "all" : "traces" }} className="underline">
          {t("toList")}
        </Link>
      }
    >
      {found.isError && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      {found.isPending && <SkeletonRows />}
      {run !== undefined && (
        <>
          <Sums run={run} />
          <Served run={run} />
          <Card title={t("timeline")} aside={<StripLegend />}>
            {!isWhole && (pages?.length ?? 0) >= MOST_PAGES && <p className="mb-2 text-soft">{t("newestOnly", { count: line.rows.length })}</p>}
            <RunTimeline line={line} isTrace={kind === "trace"} />
          </Card>
        </>
      )}
    </Page>
  );
}

function Sums({ run }: { run: Run }) {
  const { t } = useTranslation("sessions");
  const format = useFormat();
  const figures: [string, string][] = [
    [t("turnCount"), format.whole(run.turns)],
    [t("share"), format.percent(run.turns > 0 ? run.continued / run.turns : null)],
    [t("saved"), bytes(run.bytesSaved)],
    [t("cost"), format.money(run.costUsd)],
    [t("lasted"), duration((Date.parse(run.lastAt) - Date.parse(run.firstAt)) / 1_000)],
    [t("failed"), format.whole(run.failures)],
  ];
  return <Figures figures={figures} isKnown columns="sm:grid-cols-3 lg:grid-cols-6" />;
}

function Served({ run }: { run: Run }) {
  const { t } = useTranslation("sessions");
  const format = useFormat();
  const { channel } = useNames();
  const live = run.connections.map((each) => `${each.channel} #${each.connection}`).join(", ");
  const facts: [string, string][] = [
    [t("key"), run.keyName],
    [t("models"), run.models.join(", ")],
    [t("channels"), run.channelIDs.map(channel).join(", ")],
    [t("from"), `${format.dateTime(run.firstAt)} – ${format.dateTime(run.lastAt)}`],
    [t("tokenSums"), t("tokens", { input: format.count(run.inputTokens), cached: format.count(run.cachedTokens), output: format.count(run.outputTokens) })],
  ];
  return (
    <Card>
      <div className="mb-3 flex flex-wrap items-center gap-2">
        {live === "" ? <Badge>{t("isEnded")}</Badge> : <Badge tone="good">{t("isLive")}</Badge>}
        {live !== "" && <span className="text-soft">{live}</span>}
        {run.kind === "session" && (
          <TurnsLink search={{ session: run.name, key: run.keyID }} className="ml-auto underline">
            {t("inLog")}
          </TurnsLink>
        )}
      </div>
      <Facts facts={facts.map(([name, value]) => [name, value === "" ? UNKNOWN : value])} />
    </Card>
  );
}
