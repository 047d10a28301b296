/** What models cost here, where that differs from what the gateway knows of them. */
import { Plus, X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button, IconButton } from "@/shared/Button";
import type { Parts } from "./Connecting";
import { NO_PRICE, type PriceDraft } from "./draft";

const AMOUNTS = ["input", "cached", "cacheWrite", "output"] as const;

export function Prices({ draft, change, problem }: Parts) {
  const { t } = useTranslation("channels");
  const set = (index: number, part: Partial<PriceDraft>) =>
    change({ prices: draft.prices.map((each, at) => (at === index ? { ...each, ...part } : each)) });
  return (
    <fieldset className="space-y-2">
      <legend className="text-[13px] font-medium">{t("prices.title")}</legend>
      <p className="text-[13px] text-soft">{t("prices.hint")}</p>
      {draft.prices.map((each, index) => (
        <div key={index}>
          <div className="grid grid-cols-2 items-end gap-2 sm:grid-cols-[2fr_repeat(4,1fr)_auto]">
            <label className="col-span-2 min-w-0 text-[12.5px] sm:col-span-1">
              {t("prices.model")}
              <input
                className="field font-mono text-[13px]"
                placeholder="gpt-5*"
                spellCheck={false}
                value={each.model}
                aria-invalid={problem(`prices.${index}.model`) !== undefined}
                onChange={(event) => set(index, { model: event.target.value })}
              />
            </label>
            {AMOUNTS.map((name) => (
              <label key={name} className="min-w-0 text-[12.5px]">
                {t(`prices.${name}`)}
                <input
                  type="number"
                  min={0}
                  step="any"
                  className="field text-[13px]"
                  placeholder={name === "cached" || name === "cacheWrite" ? each.input : ""}
                  value={each[name]}
                  aria-invalid={problem(`prices.${index}.${name}`) !== undefined}
                  onChange={(event) => set(index, { [name]: event.target.value })}
                />
              </label>
            ))}
            <IconButton
              label={t("prices.remove")}
              onClick={() => change({ prices: draft.prices.filter((_, at) => at !== index) })}
            >
              <X size={15} aria-hidden />
            </IconButton>
          </div>
          {["model", ...AMOUNTS].map((name) => {
            const wrong = problem(`prices.${index}.${name}`);
            return wrong === undefined ? null : (
              <p key={name} className="text-[13px] text-bad">
                ✕ {wrong}
              </p>
            );
          })}
        </div>
      ))}
      <Button
        isSmall
        icon={<Plus size={14} aria-hidden />}
        onClick={() => change({ prices: [...draft.prices, NO_PRICE] })}
      >
        {t("prices.add")}
      </Button>
    </fieldset>
  );
}
