import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { ask } from "@/api/client";
import { useMe } from "@/api/me";
import { useNames } from "@/api/names";
import { useMinute } from "@/shared/clock";
import { Choice } from "@/shared/Field";
import { Card, Page } from "@/shared/Page";
import { Picker } from "@/shared/Picker";
import { Empty, Failure, Skeleton, SkeletonRows } from "@/shared/states";
import { looksOf } from "@/shared/Button";
import { Breakdown } from "./Breakdown";
import { Filters } from "./Filters";
import { RANGES, rangeOf, spanOf } from "./range";
import { Reasons } from "./Reasons";
import { Tiles } from "./Tiles";
import { type By, BYS, METRICS, USAGE } from "./usage";
import { filterOf, logOf, type Where, whereOf } from "./where";

const TimeChart = lazy(() => import("./TimeChart").then((module) => ({ default: module.TimeChart })));
const LatencyCard = lazy(() => import("@/features/latency/LatencyCard").then((module) => ({ default: module.LatencyCard })));
const route = getRouteApi("/shell/");
const LATENCY_BYS = ["ALL", "CHANNEL", "MODEL"] as const;

/** What latency is told apart by; keys, APIs and reasons have no histograms. */
const latencyWhere = ({ project, channel, model }: Where) => ({ project, channel, model });

export function OverviewPage() {
  const { t } = useTranslation("overview");
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { channels } = useNames();
  const seesLatency = useMe().user.role !== "MEMBER"; // it is not kept by key
  const range = rangeOf(search["range"]);
  const span = spanOf(range, useMinute());
  const by = BYS.find((each) => each === search["by"]) ?? "ALL";
  const metric = METRICS.find((each) => each === search["metric"]) ?? "turns";
  const where = whereOf(search);
  const filter = filterOf(where);
  const { step: _, ...asked } = span;
  const usage = useQuery({
    queryKey: ["overview", asked, by, filter],
    queryFn: ({ signal }) => ask(USAGE, { ...asked, by, filter }, signal),
    refetchInterval: 15_000,
    placeholderData: (before) => before,
  });
  const set = (name: string, value: string) =>
    void navigate({ search: (before) => ({ ...before, [name]: value }), replace: true });
  const told = usage.data?.usage;
  const nameOf = useNameOf(by);
  return (
    <Page
      title={t("title")}
      lead={t("lead")}
      actions={
        <Choice
          label={t("range")}
          value={range}
          options={RANGES.map((value) => ({ value, label: t(`ranges.${value}`) }))}
          onChange={(value) => set("range", value)}
        />
      }
    >
      {usage.isError && <Failure error={usage.error} onRetry={() => void usage.refetch()} />}
      <Filters />
      <Tiles usage={told} span={span} where={logOf(where)} />
      {told !== undefined && told.totals.turns === 0 && channels.length === 0 && Object.keys(where).length === 0 ? (
        <Card>
          <Empty title={t("nothing")} action={<Link to="/start" className={looksOf("main")}>{t("toStart")}</Link>}>
            {t("nothingText")}
          </Empty>
        </Card>
      ) : (
        <>
          <Card
            title={t("overTime")}
            aside={
              <div className="flex flex-wrap gap-2">
                <Picker
                  label={t("metric")}
                  value={metric}
                  options={METRICS.map((value) => ({ value, label: t(`metrics.${value}`) }))}
                  onPick={(value) => set("metric", value)}
                />
                <Picker
                  label={t("by")}
                  value={by}
                  options={BYS.map((value) => ({ value, label: t(`bys.${value}`) }))}
                  onPick={(value) => set("by", value)}
                />
              </div>
            }
          >
            <Suspense fallback={<Skeleton className="h-56 w-full" />}>
              {told === undefined ? (
                <Skeleton className="h-56 w-full" />
              ) : (
                <TimeChart points={told.series} metric={metric} span={span} where={logOf(where)} nameOf={nameOf} />
              )}
            </Suspense>
          </Card>
          {seesLatency && (
            <Suspense fallback={<Skeleton className="h-72 w-full" />}>
              <LatencyCard span={span} where={latencyWhere(where)} bys={LATENCY_BYS} />
            </Suspense>
          )}
          <Card title={t("shares")}>
            {usage.data === undefined ? (
              <SkeletonRows />
            ) : (
              <Reasons points={usage.data.reasons.series} span={span} where={where} />
            )}
          </Card>
          {by !== "ALL" && (
            <Card title={t(`bys.${by}`)}>
              {told === undefined ? <SkeletonRows /> : <Breakdown points={told.series} by={by} span={span} where={where} nameOf={nameOf} />}
            </Card>
          )}
        </>
      )}
    </Page>
  );
}

/** How a name of a series is shown; turns that were counted before APIs were told apart have none. */
function useNameOf(by: By): (name: string) => string {
  const { t } = useTranslation("overview");
  const names = useNames();
  if (by === "ALL") return () => t("allTurns");
  const unnamed = { API: t("notKnown"), REASON: t("notSent"), USER: t("nobodys") }[by as string] ?? t("notServed");
  const named = {
    CHANNEL: names.channel,
    MODEL: (name: string) => name,
    KEY: names.key,
    PROJECT: names.project,
    REASON: (name: string) => t(`app:reasonShort.${name}`, { defaultValue: name }),
    USER: names.user,
    API: (name: string) => t(`app:apis.${name}`, { defaultValue: name }),
  }[by];
  return (name) => (name === "" ? unnamed : named(name));
}
