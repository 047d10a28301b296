/** What models cost here, where that differs from what the gateway knows of them. */
import { useQuery } from "@tanstack/react-query";
import { Plus, X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Mono } from "@/shared/Badge";
import { Button, IconButton } from "@/shared/Button";
import { Problems } from "@/shared/Field";
import { UNKNOWN } from "@/shared/format";
import { type Column, Table } from "@/shared/Table";
import { type Channel, type Cost, costsQuery } from "./api";
import type { Parts } from "./Connecting";
import { NO_PRICE, NO_TIER, type PriceDraft, type TierDraft } from "./priceDraft";

const AMOUNTS = ["input", "cached", "cacheWrite", "output"] as const;

export function Prices({ draft, change, problem, channel }: Parts & { channel: Channel | undefined }) {
  const { t } = useTranslation("channels");
  const set = (index: number, part: Partial<PriceDraft>) =>
    change({ prices: draft.prices.map((each, at) => (at === index ? { ...each, ...part } : each)) });
  return (
    <fieldset className="min-w-0 space-y-2">
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
  const amount = (name: (typeof AMOUNTS)[number]): Column<Cost> => ({
    key: name,
    title: t(`prices.${name}`),
    align: "right",
    cell: ({ price }) => (price === null ? UNKNOWN : (price[name] ?? price.input)),
  });
  return (
    <div className="pt-2">
      <p className="text-[13px] font-medium">{t("prices.asSaved")}</p>
      <Table
        label={t("prices.asSaved")}
        rows={costs}
        keyOf={({ model }) => model}
        columns={[
          { key: "model", title: t("prices.model"), cell: ({ model }) => <Mono>{model}</Mono> },
          ...AMOUNTS.map(amount),
          {
            key: "from",
            title: t("prices.from"),
            cell: ({ price, isConfigured }) =>
              price === null ? t("prices.unknown") : isConfigured ? t("prices.configured") : t("prices.bundled"),
          },
        ]}
      />
    </div>
  );
}
