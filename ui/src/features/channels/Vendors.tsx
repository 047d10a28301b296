/** Known vendors: one click fills in what a channel to one needs. */
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { presetsQuery } from "./api";
import type { Parts } from "./Connecting";
import { presetOf, withPreset } from "./presets";

export function Vendors({ draft, change }: Pick<Parts, "draft" | "change">) {
  const { t } = useTranslation("channels");
  const presets = useQuery(presetsQuery).data ?? [];
  const chosen = presetOf(draft, presets);
  return (
    <fieldset className="min-w-0">
      <legend className="mb-1 text-[13px] font-medium">{t("vendors.title")}</legend>
      <div className="flex flex-wrap gap-1.5">
        {presets.map((preset) => (
          <button
            key={preset.name}
            type="button"
            aria-pressed={preset.name === chosen?.name}
            className="rounded-lg border border-line-strong bg-card px-2.5 py-1 text-[13px] hover:border-accent
              aria-pressed:border-accent aria-pressed:bg-accent-wash aria-pressed:font-medium"
            onClick={() => change(withPreset(draft, preset, presets))}
          >
            {preset.vendor}
          </button>
        ))}
      </div>
      <p className="mt-1 text-[13px] text-soft">
        {t("vendors.hint")}{" "}
        {chosen !== undefined && (
          <a href={chosen.source} target="_blank" rel="noreferrer" className="underline">
            {t("vendors.source", { vendor: chosen.vendor })}
          </a>
        )}
      </p>
    </fieldset>
  );
}
