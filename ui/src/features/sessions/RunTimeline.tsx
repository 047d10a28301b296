/** The turns of a run, each a row: its mark on the lane of its session, its bar, and what became of it. */
import { type KeyboardEvent, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { bytes, duration, milliseconds, useFormat } from "@/shared/format";
import { wordOf } from "@/shared/marks";
import { Mark } from "@/shared/Strip";
import { TurnsLink } from "@/shared/TurnsLink";
import { VirtualTable, type WideColumn } from "@/shared/VirtualTable";
import { useWhatChanged } from "@/features/turns/useWhatChanged";
import { type Bar, type Pause, shortened, type Timeline } from "./timeline";

const ROW = 62;
const LANE = 14;
/** Lanes beyond it share the last one. */
const MOST_LANES = 8;

export function RunTimeline({ line, isTrace }: { line: Timeline; isTrace: boolean }) {
  const { t } = useTranslation("sessions");
  const columns = useTimelineColumns(line, isTrace);
  if (line.rows.length === 0) return <p className="text-soft">{t("noLog")}</p>;
  return (
    <div className="-mx-5 -mb-4" onKeyDown={step}>
      <VirtualTable label={t("timeline")} columns={columns} rows={line.rows} rowHeight={ROW} minWidth="66rem" height="calc(100dvh - 14rem)" />
    </div>
  );
}

/** Up and down go from turn to turn. */
function step(event: KeyboardEvent<HTMLElement>): void {
  const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>('[role="rowgroup"] a')];
  links.sort((a, b) => rowOf(a) - rowOf(b));
  const next = links[links.indexOf(document.activeElement as HTMLElement) + by];
  if (by === 0 || next === undefined || !links.includes(document.activeElement as HTMLElement)) return;
  event.preventDefault();
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

const rowOf = (link: HTMLElement) => Number(link.closest('[role="row"]')?.getAttribute("aria-rowindex"));

function useTimelineColumns(line: Timeline, isTrace: boolean): readonly WideColumn<Bar | Pause>[] {
  const { t } = useTranslation("sessions");
  const lanes = Math.min(line.lanes.length, MOST_LANES);
  const names = line.lanes;
  return useMemo(
    () => [
      {
        key: "lane",
        title: lanes > 1 ? t("lanes") : "",
        width: `${Math.max(lanes > 1 ? 4.5 : 2, (lanes * LANE) / 16 + 1)}rem`,
        cell: (row) => <Lanes row={row} count={lanes} />,
      },
      { key: "turn", title: t("turn"), width: "minmax(11rem, 1fr)", cell: (row) => <Began row={row} session={isTrace && names.length > 1} /> },
      { key: "bar", title: t("time"), width: "minmax(16rem, 2fr)", cell: (row) => <Track row={row} /> },
      { key: "why", title: t("way"), width: "minmax(11rem, 1.2fr)", cell: (row) => row.kind === "turn" && <Why row={row} /> },
      { key: "spent", title: t("spent"), width: "minmax(15rem, 1.2fr)", align: "right", cell: (row) => row.kind === "turn" && <Spent row={row} /> },
    ],
    [t, lanes, names, isTrace],
  );
}

/** A line for each session, as far as the eye follows, and the turn's mark on its own. */
function Lanes({ row, count }: { row: Bar | Pause; count: number }) {
  const x = (lane: number) => 7 + Math.min(lane, count - 1) * LANE;
  return (
    <svg width={count * LANE} height={ROW} viewBox={`0 0 ${count * LANE} ${ROW}`} aria-hidden className="block">
      {Array.from({ length: count }, (_, lane) => (
        <path
          key={lane}
          d={`M${x(lane)} 0V${ROW}`}
          stroke="currentColor"
          strokeDasharray={row.kind === "pause" ? "2 4" : undefined}
          className="text-line-strong opacity-60"
        />
      ))}
      {row.kind === "turn" && (
        <g transform={`translate(0 ${ROW / 2 - 12})`}>
          <rect x={x(row.lane) - 6} y="2" width="12" height="20" className="fill-card" />
          <Mark turn={wordOf(row.turn)} x={x(row.lane)} />
        </g>
      )}
    </svg>
  );
}

function Began({ row, session }: { row: Bar | Pause; session: boolean }) {
  const { t } = useTranslation("sessions");
  const format = useFormat();
  if (row.kind === "pause") return <span className="text-soft">{t("pause", { time: duration(row.ms / 1_000) })}</span>;
  const { turn } = row;
  const served = [turn.modelAsked, turn.channelName].filter((each) => each !== "").join(" · ");
  return (
    <>
      <TurnsLink search={{ open: turn.id }} className="block w-fit py-0.5 font-medium underline">
        {format.time(turn.startedAt)}
      </TurnsLink>
      <span className="block truncate text-[12.5px] text-soft" title={served}>
        {served}
      </span>
      {session && (
        <span className="block truncate font-mono text-[11.5px] text-soft" title={turn.session}>
          {turn.session === "" ? t("unnamed") : shortened(turn.session)}
        </span>
      )}
    </>
  );
}

/** The time to the first event light, what followed dark. */
function Track({ row }: { row: Bar | Pause }) {
  const { t } = useTranslation("sessions");
  if (row.kind === "pause") return <span aria-hidden className="block border-t border-dashed border-line-strong" />;
  const { turn, start, first, end } = row;
  const part = (share: number) => `${share * 100}%`;
  const isBad = turn.errorCode !== "";
  return (
    <>
      <span aria-hidden className="relative block h-3 rounded-full bg-sunken">
        <span
          className={`absolute inset-y-0 min-w-1 rounded-full border ${isBad ? "border-bad bg-bad-wash" : "border-accent bg-accent-wash"}`}
          style={{ left: part(start), width: part(end - start) }}
        />
        <span
          className={`absolute inset-y-0 rounded-r-full ${isBad ? "bg-bad" : "bg-accent"}`}
          style={{ left: part(first), width: part(end - first) }}
        />
      </span>
      <span className="mt-1 block truncate text-[12.5px] text-soft">
        {t("timesPair", { first: milliseconds(turn.firstEventMs), total: milliseconds(turn.totalMs) })}
      </span>
    </>
  );
}

function Why({ row }: { row: Bar }) {
  const { t } = useTranslation(["sessions", "app"]);
  const whatChanged = useWhatChanged();
  const word = wordOf(row.turn);
  const said = t(`app:reasonShort.${word}`, { defaultValue: word });
  return (
    <>
      <span className="block truncate" title={said}>
        {said}
      </span>
      {row.turn.changed !== "" && (
        <span className="block truncate text-[12.5px] text-warn" title={whatChanged(row.turn.changed)}>
          {whatChanged(row.turn.changed)}
        </span>
      )}
      {row.turn.errorCode !== "" && <span className="block truncate text-[12.5px] text-bad">✕ {row.turn.errorCode}</span>}
    </>
  );
}

function Spent({ row }: { row: Bar }) {
  const { t } = useTranslation("sessions");
  const format = useFormat();
  const { turn } = row;
  return (
    <>
      <span className="block truncate">
        {format.money(turn.costUsd)} · {bytes(turn.bytesSent)} / {bytes(turn.bytesReceived)}
      </span>
      <span className="block truncate text-[12.5px] text-soft">
        {t("tokensShort", { input: format.count(turn.inputTokens), cached: format.count(turn.cachedTokens), output: format.count(turn.outputTokens) })}
      </span>
    </>
  );
}
