import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { Badge } from "@/shared/Badge";
import { useMinute } from "@/shared/clock";
import { useFormat } from "@/shared/format";
import { TurnsLink } from "@/shared/TurnsLink";
import { looksOf } from "@/shared/Button";
import { CheckField } from "@/shared/Field";
import { ListPage } from "@/shared/Listing";
import { Empty } from "@/shared/states";
import type { Column } from "@/shared/Table";
import { type Channel, channelsQuery } from "./api";
import { ChannelMenu } from "./ChannelMenu";
import { HealthBadge, TransportBadge } from "./HealthBadge";
import { QuotaBars } from "./codex/QuotaBars";

const MOST_MODELS = 3;

export function ChannelsPage() {
  const { t } = useTranslation("channels");
  const mayWrite = useMay("channels:write");
  const [withArchived, setWithArchived] = useState(false);
  const found = useQuery(channelsQuery(withArchived));
  const rows = found.data?.channels.nodes;
  const columns = useColumns();
  const add = mayWrite && (
    <Link to="/channels/new" search={{}} className={looksOf("main")}>
      <Plus size={16} aria-hidden />
      {t("add")}
    </Link>
  );
  return (
    <ListPage
      title={t("title")}
      lead={t("lead")}
      add={add}
      found={found}
      rows={rows}
      columns={columns}
      empty={
        <Empty title={t("none")} action={add}>
          {t("noneText")}
        </Empty>
      }
    >
      <CheckField label={t("withArchived")} checked={withArchived} onChange={(event) => setWithArchived(event.target.checked)} />
    </ListPage>
  );
}

/** What it failed with last; its turn has the rest. */
function LastError({ channel }: { channel: Channel }) {
  const format = useFormat();
  const now = useMinute();
  const failure = channel.health.lastFailure;
  if (failure === null) return "–";
  return (
    <TurnsLink search={{ open: failure.turnID }} className="text-[13px] underline">
      <span title={failure.message}>
        {`${failure.status} ${failure.code}, ${format.ago(failure.at, Math.max(now, Date.parse(failure.at)))}`}
      </span>
    </TurnsLink>
  );
}

function useColumns(): Column<Channel>[] {
  const { t } = useTranslation(["channels", "app"]);
  return [
    {
      key: "name",
      title: t("name"),
      cell: (row) => (
        <div className="min-w-40">
          <Link to="/channels/$channel" params={{ channel: row.id }} className="font-medium underline">
            {row.name}
          </Link>
          <div className="flex flex-wrap gap-1 text-[12.5px] text-soft">
            {t(`types.${row.type}`, { defaultValue: row.type })}
            {row.managedBy === "FILE" && ` · ${t("app:managedByFile")}`}
          </div>
          {row.type === "codex" && <QuotaBars channelID={row.id} />}
        </div>
      ),
    },
    { key: "health", title: t("healthTitle"), cell: (row) => <HealthBadge channel={row} /> },
    {
      key: "apis",
      title: t("apis.card"),
      cell: (row) => (
        <span className="flex flex-wrap gap-1">
          {row.offered.map((api) => (
            <Badge key={api} shape={false}>
              {t(`app:apisShort.${api}`, { defaultValue: api })}
            </Badge>
          ))}
          {row.passed.length > 0 && (
            <span className="text-[12.5px] text-soft" title={row.passed.map((api) => t(`app:apisShort.${api}`, { defaultValue: api })).join(", ")}>
              {t("apis.others", { count: row.passed.length })}
            </span>
          )}
        </span>
      ),
    },
    { key: "weight", title: t("weight"), align: "right", cell: (row) => row.weight },
    { key: "error", title: t("lastError"), isExtra: true, cell: (row) => <LastError channel={row} /> },
    { key: "transport", title: t("transport"), cell: (row) => <TransportBadge channel={row} /> },
    {
      key: "connections",
      title: t("connections"),
      align: "right",
      cell: (row) =>
        row.health.connections > 0 ? (
          <Link to="/sessions" search={{ channel: row.id }} className="underline">
            {row.health.connections}
          </Link>
        ) : (
          "0"
        ),
    },
    {
      key: "models",
      title: t("models"),
      isExtra: true,
      cell: (row) => (
        <span className="flex flex-wrap gap-1">
          {row.models.slice(0, MOST_MODELS).map((model) => (
            <Badge key={model} shape={false}>
              {model}
            </Badge>
          ))}
          {row.models.length > MOST_MODELS && `+${row.models.length - MOST_MODELS}`}
        </span>
      ),
    },
    { key: "menu", title: "", align: "right", cell: (row) => <ChannelMenu channel={row} /> },
  ];
}
