import { useTranslation } from "react-i18next";
import { useFormat } from "@/shared/format";
import { Meter } from "@/shared/Meter";
import type { Budget } from "./api";

/** How much of a budget is spent, and when it begins anew, by which clocks. */
export function SpentBar({ budget }: { budget: Budget }) {
  const { t, i18n } = useTranslation("budgets");
  const format = useFormat();
  const show = budget.unit === "DOLLARS" ? format.money : format.count;
  const part = Math.min(1, budget.share);
  const resets = new Intl.DateTimeFormat(i18n.language, {
    dateStyle: "medium",
    timeStyle: "short",
    hourCycle: "h23",
    timeZone: budget.timeZone,
  }).format(new Date(budget.resetsAt));
  return (
    <div className="min-w-32 text-[12.5px]">
      <div className="flex justify-between gap-2">
        <span>
          {part >= 1 && <span className="text-bad">✕ </span>}
          {show(budget.spent)} / {show(budget.amount)}
        </span>
        <span className="text-soft">{format.percent(budget.share)}</span>
      </div>
      <Meter
        label={t("spentOf", { name: budget.subjectName })}
        part={part}
        tone={part >= 1 ? "bad" : budget.warnedAt !== null ? "warn" : "good"}
        className="my-1 h-1.5"
      />
      <span className="text-soft">{t("resets", { at: resets, zone: budget.timeZone })}</span>
    </div>
  );
}
