/** Latency over time by channel or model, and each line against the period before. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ask } from "@/api/client";
import { useNames } from "@/api/names";
import { type Span, starts } from "@/features/overview/range";
import { milliseconds, useFormat } from "@/shared/format";
import { Card } from "@/shared/Page";
import { Picker } from "@/shared/Picker";
import { Empty, Failure, Skeleton } from "@/shared/states";
import { Table } from "@/shared/Table";
import { TurnsLink, type TurnsSearch } from "@/shared/TurnsLink";
import { type By, type Figure, FIGURES, LATENCY, type Line, PLACES } from "./api";
import { LatencyChart } from "./LatencyChart";
import { change, linesOf, type Share, SHARES } from "./lines";

interface Props {
  span: Span;
  /** What counts, as the log's address has it. */
  where: Pick<TurnsSearch, "project" | "channel" | "model">;
  bys: readonly By[];
}

/** All turns together have a line for each of these. */
const OF_ALL: readonly Share[] = ["p50", "p95"];

export function LatencyCard({ span, where, bys }: Props) {
  const { t } = useTranslation("latency");
  const [by, setBy] = useState<By>("ALL");
  const [figure, setFigure] = useState<Figure>("FIRST_EVENT");
  const [share, setShare] = useState<Share>("p50");
  const filter = { projectID: where.project ?? null, channelID: where.channel ?? null, model: where.model ?? null };
  const { step: _, ...times } = span;
  const found = useQuery({
    queryKey: ["latency", times, by, figure, filter],
    queryFn: ({ signal }) => ask(LATENCY, { ...times, by, figure, filter }, signal),
    refetchInterval: 30_000,
    placeholderData: (before) => before,
  });
  const latency = found.data?.latency;
  const nameOf = useNameOf(by);
  const show = useShown(figure);
  const beginnings = starts(span);
  const series = latency?.series ?? [];
  const lines =
    by === "ALL"
      ? OF_ALL.flatMap((each) => linesOf(series, each, beginnings).map((line) => ({ ...line, name: each })))
      : linesOf(series, share, beginnings);
  return (
    <Card
      title={t("title")}
      aside={
        <div className="flex flex-wrap gap-2">
          <Picker
            label={t("figure")}
            value={figure}
            options={FIGURES.map((value) => ({ value, label: t(`figures.${value}`) }))}
            onPick={setFigure}
          />
          <Picker label={t("by")} value={by} options={bys.map((value) => ({ value, label: t(`bys.${value}`) }))} onPick={setBy} />
          {by !== "ALL" && (
            <Picker label={t("share")} value={share} options={SHARES.map((value) => ({ value, label: value }))} onPick={setShare} />
          )}
        </div>
      }
    >
      {found.isError && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      {latency === undefined ? (
        !found.isError && <Skeleton className="h-48 w-full" />
      ) : latency.lines.length === 0 ? (
        <Empty title={t("none")}>{t("noneText")}</Empty>
      ) : (
        <div className="space-y-4">
          <LatencyChart lines={lines} span={span} where={where} nameOf={by === "ALL" ? (name) => name : nameOf} show={show} />
          <Lines lines={latency.lines} by={by} figure={figure} where={{ ...where, since: span.since }} nameOf={nameOf} show={show} />
          <p className="text-[13px] text-soft">{t("error")}</p>
        </div>
      )}
    </Card>
  );
}

function Lines(props: {
  lines: readonly Line[];
  by: By;
  figure: Figure;
  where: TurnsSearch;
  nameOf: (name: string) => string;
  show: (value: number | null) => string;
}) {
  const { t } = useTranslation("latency");
  const { lines, by, figure, where, nameOf, show } = props;
  const format = useFormat();
  const place = PLACES[figure];
  const change_ = new Intl.NumberFormat(useTranslation().i18n.language, { style: "percent", signDisplay: "exceptZero", maximumFractionDigits: 0 });
  const changed = (line: Line, share: Share) => {
    const value = change(line.figures[place][share], line.before[place][share]);
    return value === null ? "–" : change_.format(value);
  };
  return (
    <Table
      label={t("title")}
      rows={lines}
      keyOf={(line) => line.name}
      columns={[
        {
          key: "name",
          title: by === "ALL" ? t("title") : t(`one.${by}`),
          cell: (line) =>
            by === "ALL" ? (
              <span className="block min-w-16">{nameOf(line.name)}</span>
            ) : (
              <TurnsLink search={{ ...where, [by === "CHANNEL" ? "channel" : "model"]: line.name }} className="font-medium underline">
                {nameOf(line.name)}
              </TurnsLink>
            ),
        },
        { key: "turns", title: t("turns"), align: "right", cell: (line) => format.whole(line.figures[place].turns) },
        ...SHARES.map((share) => ({
          key: share,
          title: share,
          align: "right" as const,
          isExtra: share === "p99",
          cell: (line: Line) => show(line.figures[place][share]),
        })),
        { key: "before", title: t("before"), align: "right", cell: (line) => `${changed(line, "p50")} / ${changed(line, "p95")}` },
      ]}
    />
  );
}

function useNameOf(by: By): (name: string) => string {
  const { t } = useTranslation("latency");
  const { channel } = useNames();
  if (by === "ALL") return () => t("all");
  return by === "CHANNEL" ? channel : (name) => name;
}

function useShown(figure: Figure): (value: number | null) => string {
  const { t } = useTranslation("latency");
  const format = useFormat();
  return figure === "TOKENS_PER_SECOND" ? (value) => t("speed", { value: format.rate(value) }) : milliseconds;
}
