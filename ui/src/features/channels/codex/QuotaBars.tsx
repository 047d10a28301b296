import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { UNKNOWN, useFormat } from "@/shared/format";
import { Meter } from "@/shared/Meter";
import { accountsQuery, type Quota, type Window } from "./accounts";

/** How much of each window the accounts of a channel have used. */
export function QuotaBars({ channelID }: { channelID: string }) {
  const accounts = useQuery(accountsQuery(channelID)).data;
  if (accounts === undefined) return null;
  return (
    <div className="mt-1 max-w-56 space-y-1">
      {accounts.map((account) => account.quota && <Bars key={account.id} quota={account.quota} name={account.email} />)}
    </div>
  );
}

export function Bars({ quota, name }: { quota: Quota; name?: string }) {
  return (
    <div className="space-y-1">
      {name !== undefined && <span className="block truncate text-[12px] text-soft">{name}</span>}
      {[quota.primary, quota.secondary].map((window, index) => window && <Bar key={index} window={window} />)}
    </div>
  );
}

function Bar({ window }: { window: Window }) {
  const { t } = useTranslation("channels");
  const format = useFormat();
  const used = Math.min(100, Math.max(0, window.usedPercent));
  const label = useLength(window.minutes);
  const resets = window.resetsAt === null ? "" : t("accounts.resets", { when: format.ago(window.resetsAt) });
  return (
    <div className="grid grid-cols-[3.2rem_1fr_2.6rem] items-center gap-2 text-[12px]" title={resets}>
      <span className="text-soft">{label}</span>
      <Meter label={`${label} ${resets}`} part={used / 100} tone={used >= 90 ? "bad" : used >= 70 ? "warn" : "good"} />
      <span className="text-right">{Math.round(used)} %</span>
    </div>
  );
}

/** How long a window is; some providers do not say. */
function useLength(minutes: number | null): string {
  const { t } = useTranslation("channels");
  if (minutes === null) return UNKNOWN;
  const hours = Math.round(minutes / 60);
  return hours >= 48 ? t("accounts.days", { count: Math.round(hours / 24) }) : t("accounts.hours", { count: hours });
}
