import { getRouteApi, Link } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useWire } from "@/api/live";
import { useNodeNames } from "@/api/nodes";
import { Figures } from "@/shared/Figures";
import { Badge } from "@/shared/Badge";
import { bytes, useFormat } from "@/shared/format";
import { Notice } from "@/shared/Notice";
import { Card, Page, TAB } from "@/shared/Page";
import { StripLegend } from "@/shared/Strip";
import { Empty, Failure, SkeletonRows } from "@/shared/states";
import { VirtualTable } from "@/shared/VirtualTable";
import { chosen, totals } from "./chosen";
import { useColumns } from "./columns";
import { Filters } from "./Filters";
import { grouped, type LiveRow } from "./grouped";
import { type LiveSession, useSessions } from "./live";
import { RunsTable } from "./RunsTable";
import { SessionDialog } from "./SessionDialog";

const route = getRouteApi("/shell/sessions");
const ROW_HEIGHT = 58;

export function SessionsPage() {
  const { t } = useTranslation("sessions");
  const { view } = route.useSearch();
  const wire = useWire();
  const isLive = view !== "all" && view !== "traces";
  return (
    <Page
      title={t("title")}
      lead={t(isLive ? "lead" : "leadAll")}
      actions={isLive && <Badge tone={wire === "open" ? "good" : "warn"}>{t(wire === "open" ? "live" : "reconnecting")}</Badge>}
    >
      <Views />
      {isLive ? <LiveConnections /> : <RunsTable key={view} kind={view === "traces" ? "trace" : "session"} />}
    </Page>
  );
}

function Views() {
  const { t } = useTranslation("sessions");
  const { view } = route.useSearch();
  const views = [
    [undefined, t("viewLive")],
    ["all", t("viewAll")],
    ["traces", t("viewTraces")],
  ] as const;
  return (
    <nav aria-label={t("views")} className="flex flex-wrap gap-1">
      {views.map(([each, name]) => (
        <Link
          key={name}
          to="/sessions"
          search={each === undefined ? {} : { view: each }}
          aria-current={view === each ? "page" : undefined}
          activeOptions={{ exact: true }}
          className={TAB}
        >
          {name}
        </Link>
      ))}
    </nav>
  );
}

function LiveConnections() {
  const { t } = useTranslation("sessions");
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { sessions, missing, failure } = useSessions();
  const nodes = useNodeNames();
  const all = useMemo(() => [...(sessions?.values() ?? [])], [sessions]);
  const rows = useMemo(() => chosen(all, search), [all, search]);
  const groups = useMemo(() => grouped(rows), [rows]);
  const open = useCallback(
    (session: LiveSession) => void navigate({ search: (before) => ({ ...before, open: session.id }) }),
    [navigate],
  );
  const openRow = useCallback((row: LiveRow) => row.kind === "connection" && open(row.connection), [open]);
  const columns = useColumns(open, nodes.length > 1);
  const opened = search["open"];
  return (
    <>
      {failure !== undefined && <Failure error={failure} />}
      {missing.length > 0 && <Missing names={missing} />}
      <Totals sessions={all} isKnown={sessions !== undefined} />
      <Card title={t("connections", { count: rows.length })} aside={<Filters sessions={all} nodes={nodes} />}>
        <div className="mb-3">
          <StripLegend />
        </div>
        {sessions === undefined ? (
          <SkeletonRows />
        ) : rows.length === 0 ? (
          <Empty title={t(all.length === 0 ? "none" : "noneChosen")}>
            {t(all.length === 0 ? "noneText" : "noneChosenText")}
          </Empty>
        ) : (
          <div className="-mx-5 -mb-4">
            <VirtualTable
              label={t("title")}
              columns={columns}
              rows={groups}
              rowHeight={ROW_HEIGHT}
              minWidth="65rem"
              height="calc(100dvh - 22rem)"
              onOpen={openRow}
            />
          </div>
        )}
      </Card>
      {opened !== undefined && (
        <SessionDialog
          key={opened}
          id={opened}
          session={sessions?.get(opened)}
          withNode={nodes.length > 1}
          onClose={() => void navigate({ search: ({ open: _, ...rest }) => rest })}
        />
      )}
    </>
  );
}

function Missing({ names }: { names: readonly string[] }) {
  const { t } = useTranslation("sessions");
  return (
    <Notice tone="bad" title={t("missing", { count: names.length, names: names.join(", ") })}>
      {t("missingText", { count: names.length })}{" "}
      <Link to="/nodes" className="underline">
        {t("toNodes")}
      </Link>
    </Notice>
  );
}

function Totals({ sessions, isKnown }: { sessions: readonly LiveSession[]; isKnown: boolean }) {
  const { t } = useTranslation("sessions");
  const format = useFormat();
  const sums = totals(sessions);
  const figures: [string, string][] = [
    [t("open"), format.whole(sessions.length)],
    [t("inFlight"), format.whole(sums.inFlight)],
    [t("waiting"), format.whole(sums.waiting)],
    [t("share"), format.percent(sums.turns > 0 ? sums.continued / sums.turns : null)],
    [t("saved"), bytes(sums.bytesSaved)],
  ];
  return <Figures figures={figures} isKnown={isKnown} columns="sm:grid-cols-3 lg:grid-cols-5" />;
}
