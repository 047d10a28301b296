import { Link } from "@tanstack/react-router";
import { type ReactNode, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useNow } from "@/shared/clock";
import { Badge, Mono, type Tone } from "@/shared/Badge";
import { duration, UNKNOWN, useFormat } from "@/shared/format";
import type { Column } from "@/shared/Table";
import type { Node } from "@/api/nodes";
import type { PresentRow as Row, Presence } from "./presence";

const STAGES: Record<string, Tone> = { ready: "good", starting: "warn", leaving: "warn", draining: "warn" };
const ABSENT: Record<Exclude<Presence, "here">, Tone> = { unknown: "plain", gone: "bad" };

export function useColumns(): Column<Row>[] {
  const { t } = useTranslation("nodes");
  const format = useFormat();
  return useMemo(() => {
    const known = (write: (node: Node) => ReactNode) => (row: Row) => (row.node === undefined ? UNKNOWN : write(row.node));
    /** Of a node that is not there they tell nothing. */
    const figure = (write: (node: Node) => ReactNode) => (row: Row) =>
      row.node === undefined || row.presence !== "here" ? UNKNOWN : write(row.node);
    return [
      { key: "name", title: t("name"), cell: (row) => <Name row={row} /> },
      { key: "stage", title: t("stage"), cell: (row) => <Stage row={row} /> },
      { key: "sessions", title: t("sessions"), align: "right", cell: figure((node) => <Sessions node={node} />) },
      { key: "rate", title: t("turnsPerSecond"), align: "right", cell: figure((node) => format.rate(node.turnsPerSecond)) },
      { key: "underWay", title: t("turnsUnderWay"), align: "right", cell: figure((node) => format.whole(node.turnsUnderWay)) },
      { key: "heartbeat", title: t("heartbeat"), align: "right", cell: (row) => <Heartbeat row={row} /> },
      { key: "version", title: t("version"), cell: known((node) => <Mono>{node.version}</Mono>) },
      { key: "since", title: t("since"), isExtra: true, cell: known((node) => format.dateTime(node.since)) },
    ];
  }, [t, format]);
}

function Name({ row: { name, node } }: { row: Row }) {
  const { t } = useTranslation("nodes");
  return (
    <div className="min-w-24">
      <span className="font-medium">{name}</span>
      {node !== undefined && (
        <div className="text-[12.5px] text-soft">{t("process", { host: node.host, pid: node.pid })}</div>
      )}
    </div>
  );
}

function Stage({ row: { node, presence } }: { row: Row }) {
  const { t } = useTranslation("nodes");
  if (presence !== "here") return <Badge tone={ABSENT[presence]}>{t(`presence.${presence}`)}</Badge>;
  const stage = node?.stage ?? "";
  return <Badge tone={STAGES[stage] ?? "plain"}>{t(`stages.${stage}`, { defaultValue: stage })}</Badge>;
}

function Sessions({ node }: { node: Node }) {
  const format = useFormat();
  if (node.sessions === 0) return "0";
  return (
    <Link to="/sessions" search={{ node: node.name }} className="underline">
      {format.whole(node.sessions)}
    </Link>
  );
}

/** The age of the last heartbeat; it goes on between two answers. */
function Heartbeat({ row }: { row: Row }) {
  const { t } = useTranslation("nodes");
  const age = duration((useNow() - row.heardAt) / 1_000);
  return <span className={`whitespace-nowrap ${row.presence === "gone" ? "text-bad" : ""}`}>{t("ago", { age })}</span>;
}
