/** What models cost here, where that differs from what the gateway knows of them. */
import { useQuery } from "@tanstack/react-query";
import { Plus, X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button, IconButton } from "@/shared/Button";
import { Problems } from "@/shared/Field";
import { UNKNOWN } from "@/shared/format";
import { type Channel, costsQuery } from "./api";
import type { Parts } from "./Connecting";
import { NO_PRICE, NO_TIER, type PriceDraft, type TierDraft } from "./priceDraft";

const AMOUNTS = ["input", "cached", "cacheWrite", "output"] as const;

export function Prices({ draft, change, problem, channel }: Parts & { channel: Channel | undefined }) {
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
          <Tiers
            price={each}
            change={(tiers) => set(index, { tiers })}
            problem={(field) => problem(`prices.${index}.tiers.${field}`)}
          />
          <Problems fields={["model", ...AMOUNTS]} problem={(field) => problem(`prices.${index}.${field}`)} />
        </div>
      ))}
      <Button
        isSmall
        icon={<Plus size={14} aria-hidden />}
        onClick={() => change({ prices: [...draft.prices, NO_PRICE] })}
      >
        {t("prices.add")}
      </Button>
      {channel !== undefined && <Costs channel={channel} />}
    </fieldset>
  );
}

/** What longer turns cost: all their tokens, from the first above so many of input on. */
function Tiers({
  price,
  change,
  problem,
}: {
  price: PriceDraft;
  change: (tiers: TierDraft[]) => void;
  problem: (field: string) => string | undefined;
}) {
  const { t } = useTranslation("channels");
  const set = (index: number, part: Partial<TierDraft>) =>
    change(price.tiers.map((each, at) => (at === index ? { ...each, ...part } : each)));
  return (
    <div className="mt-1 ml-3 space-y-2 border-l border-line pl-3">
      {price.tiers.map((tier, index) => (
        <div key={index}>
          <div className="grid grid-cols-2 items-end gap-2 sm:grid-cols-[2fr_repeat(4,1fr)_auto]">
            {(["above", ...AMOUNTS] as const).map((name) => (
              <label key={name} className={`min-w-0 text-[12.5px] ${name === "above" ? "col-span-2 sm:col-span-1" : ""}`}>
                {t(`prices.${name}`)}
                <input
                  type="number"
                  min={0}
                  step={name === "above" ? 1 : "any"}
                  required={name !== "cached" && name !== "cacheWrite"}
                  className="field text-[13px]"
                  value={tier[name]}
                  aria-invalid={problem(`${index}.${name}`) !== undefined}
                  onChange={(event) => set(index, { [name]: event.target.value })}
                />
              </label>
            ))}
            <IconButton label={t("prices.removeTier")} onClick={() => change(price.tiers.filter((_, at) => at !== index))}>
              <X size={15} aria-hidden />
            </IconButton>
          </div>
          <Problems fields={["above", ...AMOUNTS]} problem={(field) => problem(`${index}.${field}`)} />
        </div>
      ))}
      <Button isSmall look="quiet" icon={<Plus size={14} aria-hidden />} onClick={() => change([...price.tiers, NO_TIER])}>
        {t("prices.addTier")}
      </Button>
    </div>
  );
}

/** The price that counts for each model that the channel names, and who said it. */
function Costs({ channel }: { channel: Channel }) {
  const { t } = useTranslation("channels");
  const costs = useQuery(costsQuery(channel)).data ?? [];
  if (costs.length === 0) return null;
  return (
    <div className="overflow-x-auto">
      <table className="w-full text-[13px]">
        <caption className="pb-1 text-left font-medium">{t("prices.asSaved")}</caption>
        <thead className="text-soft">
          <tr>
            <th className="py-1 text-left font-normal">{t("prices.model")}</th>
            {AMOUNTS.map((name) => (
              <th key={name} className="py-1 pl-3 text-right font-normal">
                {t(`prices.${name}`)}
              </th>
            ))}
            <th className="py-1 pl-3 text-left font-normal">{t("prices.from")}</th>
          </tr>
        </thead>
        <tbody>
          {costs.map(({ model, price, isConfigured }) => (
            <tr key={model} className="border-t border-line">
              <td className="py-1 font-mono break-all">{model}</td>
              {AMOUNTS.map((name) => (
                <td key={name} className="py-1 pl-3 text-right tabular-nums">
                  {price === null ? UNKNOWN : (price[name] ?? price.input)}
                </td>
              ))}
              <td className="py-1 pl-3">
                {price === null ? t("prices.unknown") : isConfigured ? t("prices.configured") : t("prices.bundled")}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
