import { useTranslation } from "react-i18next";
import { useFormat } from "@/shared/format";
import { Meter } from "@/shared/Meter";
import type { Key, Spent } from "./api";
import { BUDGETS } from "./draft";

/** How much of each budget is spent; a key without budgets says what it spent this month. */
export function BudgetBars({ apiKey, spent }: { apiKey: Key; spent: Spent | undefined }) {
  const { t } = useTranslation("keys");
  const format = useFormat();
  const set = BUDGETS.filter((name) => apiKey.budgets[name] !== null);
  if (set.length === 0) {
    return <span className="text-soft">{t("spentMonth", { money: format.money(spent?.costPerMonth ?? 0) })}</span>;
  }
  return (
    <div className="min-w-44 space-y-1.5">
      {set.map((name) => {
        const most = apiKey.budgets[name] ?? 0;
        const used = spent?.[name] ?? 0;
        const part = most > 0 ? Math.min(1, used / most) : 1;
        const show = name.startsWith("cost") ? format.money : format.count;
        const label = t(`budget.${name}`);
        return (
          <div key={name} className="text-[12px]">
            <div className="flex justify-between gap-2">
              <span className="text-soft">{label}</span>
              <span>
                {part >= 1 && <span className="text-bad">✕ </span>}
                {show(used)} / {show(most)}
              </span>
            </div>
            <Meter label={label} part={part} tone={part >= 1 ? "bad" : part >= 0.8 ? "warn" : "good"} />
          </div>
        );
      })}
    </div>
  );
}
