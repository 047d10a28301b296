/** How a channel does: why it rests, what came of it, how long it took, and who is on it now. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { modelsQuery } from "@/features/models/api";
import { RANGES, rangeOf, type Span, spanOf } from "@/features/overview/range";
import { RunLink } from "@/features/sessions/RunLink";
import { useSessions } from "@/features/sessions/live";
import { Badge } from "@/shared/Badge";
import { useMinute, useNow } from "@/shared/clock";
import { Choice } from "@/shared/Field";
import { duration, share, useFormat } from "@/shared/format";
import { Card } from "@/shared/Page";
import { Empty, Failure, Skeleton, SkeletonRows } from "@/shared/states";
import { Table } from "@/shared/Table";
import { TurnsLink } from "@/shared/TurnsLink";
import { type Channel, type ChannelOverview as Overview, channelOverviewQuery } from "./api";
import { Accounts } from "./codex/Accounts";
import { HealthCard } from "./HealthCard";

const LatencyCard = lazy(() => import("@/features/latency/LatencyCard").then((module) => ({ default: module.LatencyCard })));
const route = getRouteApi("/shell/channels/$channel");
const MOST_LIVE = 20;
const BYS = ["ALL", "MODEL"] as const;

export function ChannelOverview({ channel }: { channel: Channel }) {
  const { t } = useTranslation(["channels", "overview"]);
  const range = rangeOf(route.useSearch()["range"]);
  const navigate = route.useNavigate();
  const span = spanOf(range, useMinute());
  const { step: _, ...times } = span;
  const before = new Date(2 * Date.parse(span.since) - Date.parse(span.until)).toISOString();
  const found = useQuery(channelOverviewQuery(channel.id, { ...times, before }));
  return (
    <>
      <HealthCard channel={channel} lastServed={found.data?.channel.health.lastServed} />
      <Choice
        label={t("overview:range")}
        value={range}
        options={RANGES.map((value) => ({ value, label: t(`overview:ranges.${value}`) }))}
        onChange={(value) => void navigate({ search: { range: value }, replace: true })}
      />
      {found.isError && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      <Sums channel={channel} span={span} found={found.data} />
      <Suspense fallback={<Skeleton className="h-72 w-full" />}>
        <LatencyCard span={span} where={{ channel: channel.id }} bys={BYS} />
      </Suspense>
      <div className="grid items-start gap-5 lg:grid-cols-2">
        <Errors channel={channel} span={span} found={found.data} />
        <Connections channel={channel} />
        <Serves channel={channel} />
        {channel.type === "codex" && (
          <Card title={t("accounts.title")}>
            <Accounts channelID={channel.id} />
          </Card>
        )}
      </div>
    </>
  );
}

interface PartProps {
  channel: Channel;
  span: Span;
  found: Overview | undefined;
}

/** What came of it, and what of the time before. */
function Sums({ channel, span, found }: PartProps) {
  const { t } = useTranslation("channels");
  const format = useFormat();
  const now = found?.now.totals;
  const before = found?.before.totals;
  const part = (sums: typeof now, name: "continued" | "failures") => (sums === undefined ? null : share(sums[name], sums.turns));
  const tiles = [
    { name: t("overview.turns"), value: format.count(now?.turns), then: format.count(before?.turns), search: {} },
    {
      name: t("overview.continued"),
      value: format.percent(part(now, "continued")),
      then: format.percent(part(before, "continued")),
      search: { continuity: "continued" },
    },
    {
      name: t("overview.errors"),
      value: `${format.count(now?.failures)} · ${format.percent(part(now, "failures"))}`,
      then: `${format.count(before?.failures)} · ${format.percent(part(before, "failures"))}`,
      search: { failed: "1" as const },
    },
    { name: t("overview.cost"), value: format.money(now?.costUsd), then: format.money(before?.costUsd), search: {} },
  ];
  return (
    <ul className="grid grid-cols-2 gap-3 md:grid-cols-4">
      {tiles.map((tile) => (
        <li key={tile.name} className="min-w-0">
          <TurnsLink
            search={{ channel: channel.id, since: span.since, ...tile.search }}
            className="block h-full rounded-2xl border border-line bg-card px-4 py-3 shadow-card hover:border-accent"
          >
            <span className="block text-[13px] text-soft">{tile.name}</span>
            <span className="block text-[1.35rem] leading-snug font-semibold tracking-tight">{found === undefined ? "…" : tile.value}</span>
            <span className="block text-[12.5px] text-soft">{t("overview.before", { value: tile.then })}</span>
          </TurnsLink>
        </li>
      ))}
    </ul>
  );
}

function Errors({ channel, span, found }: PartProps) {
  const { t } = useTranslation("channels");
  const format = useFormat();
  const rows = found?.channel.errors;
  return (
    <Card title={t("overview.errorsByCode")}>
      {rows === undefined ? (
        <SkeletonRows rows={3} />
      ) : rows.length === 0 ? (
        <Empty title={t("overview.noErrors")} />
      ) : (
        <Table
          label={t("overview.errorsByCode")}
          rows={rows}
          keyOf={(row) => row.code}
          columns={[
            {
              key: "code",
              title: t("overview.code"),
              cell: (row) => (
                <TurnsLink search={{ channel: channel.id, error: row.code, since: span.since }} className="font-mono text-[13px] underline">
                  {row.code}
                </TurnsLink>
              ),
            },
            { key: "turns", title: t("overview.turns"), align: "right", cell: (row) => format.whole(row.turns) },
            {
              key: "last",
              title: t("overview.last"),
              align: "right",
              cell: (row) => <span title={format.dateTime(row.last)}>{format.ago(row.last)}</span>,
            },
          ]}
        />
      )}
    </Card>
  );
}

/** The live connections of all nodes, those with the most turns first. */
function Connections({ channel }: { channel: Channel }) {
  const { t } = useTranslation(["channels", "sessions"]);
  const now = useNow();
  const { sessions } = useSessions();
  const all = [...(sessions?.values() ?? [])].filter((each) => each.channelID === channel.id).sort((a, b) => b.turns - a.turns);
  return (
    <Card
      title={t("overview.live")}
      aside={
        all.length > 0 && (
          <Link to="/sessions" search={{ channel: channel.id }} className="underline">
            {t("overview.allLive", { count: all.length })}
          </Link>
        )
      }
    >
      {sessions === undefined ? (
        <SkeletonRows rows={3} />
      ) : all.length === 0 ? (
        <Empty title={t("overview.noLive")} />
      ) : (
        <Table
          label={t("overview.live")}
          rows={all.slice(0, MOST_LIVE)}
          keyOf={(row) => row.id}
          columns={[
            {
              key: "session",
              title: t("overview.session"),
              cell: (row) =>
                row.run === "" ? (
                  <span className="text-soft">{t("overview.unnamed", { number: row.connection })}</span>
                ) : (
                  <RunLink kind="session" id={row.run} className="underline">
                    {row.session}
                  </RunLink>
                ),
            },
            { key: "state", title: t("healthTitle"), cell: (row) => <span className="whitespace-nowrap">{t(`sessions:states.${row.state}`, { defaultValue: row.state })}</span> },
            { key: "turns", title: t("overview.turns"), align: "right", cell: (row) => row.turns },
            { key: "age", title: t("overview.age"), align: "right", cell: (row) => duration((now - row.bornAt) / 1_000) },
          ]}
        />
      )}
    </Card>
  );
}

/** What it serves, and with which weight. */
function Serves({ channel }: { channel: Channel }) {
  const { t } = useTranslation("channels");
  const models = useQuery(modelsQuery).data ?? [];
  const aimed = models.filter((model) => model.targets.some((target) => target.servedBy.some((each) => each.id === channel.id)));
  return (
    <Card title={t("models")}>
      <ul className="flex flex-wrap gap-1">
        {channel.models.map((model) => (
          <li key={model}>
            <TurnsLink search={{ channel: channel.id, ...(/[*?[]/.test(model) ? {} : { model }) }}>
              <Badge shape={false}>{model}</Badge>
            </TurnsLink>
          </li>
        ))}
      </ul>
      {aimed.length > 0 && (
        <p className="mt-3">
          {t("overview.asTarget")}:{" "}
          <Link to="/public-models" search={{}} className="underline">
            {aimed.map((model) => model.name).join(", ")}
          </Link>
        </p>
      )}
      <p className="mt-3 text-soft">{t("overview.weight", { weight: channel.weight })}</p>
    </Card>
  );
}
