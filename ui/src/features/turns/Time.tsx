import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { localTime } from "@/features/keys/draft";
import { useSet } from "./useSet";

const route = getRouteApi("/shell/turns");
const HOUR = 3_600_000;
const SPANS = { hour: HOUR, day: 24 * HOUR, week: 7 * 24 * HOUR, month: 30 * 24 * HOUR };
const SPAN_NAMES = Object.keys(SPANS) as (keyof typeof SPANS)[];
const isTime = (text: string | undefined): text is string => text !== undefined && !Number.isNaN(Date.parse(text));

/** The last hour, day or week; or from and to. The end is the way far back into a long log. */
export function Time() {
  const { t } = useTranslation("turns");
  const search = route.useSearch();
  const set = useSet();
  const [chooses, setChooses] = useState(false);
  const isGiven = isTime(search["since"]) || isTime(search["until"]);
  const isShown = isGiven || chooses;
  return (
    <>
      <select
        aria-label={t("time")}
        className={`field sm:!w-auto ${isGiven ? "!border-accent font-medium" : ""}`}
        value={isShown ? "given" : ""}
        onChange={(event) => {
          const name = event.target.value;
          setChooses(name === "given");
          if (name === "given") return;
          const span = SPANS[name as keyof typeof SPANS] as number | undefined;
          set({ since: span === undefined ? "" : new Date(Date.now() - span).toISOString(), until: "" });
        }}
      >
        <option value="">{t("anyTime")}</option>
        {SPAN_NAMES.map((name) => (
          <option key={name} value={name}>
            {t(`spans.${name}`)}
          </option>
        ))}
        <option value="given">{t("spans.given")}</option>
      </select>
      {isShown && (
        <>
          <At name="since" label={t("since")} />
          <At name="until" label={t("until")} />
        </>
      )}
    </>
  );
}

function At({ name, label }: { name: "since" | "until"; label: string }) {
  const held = route.useSearch()[name];
  const set = useSet();
  return (
    <label className="col-span-2 flex items-center gap-2 text-[13px] text-soft">
      <span className="w-10 sm:w-auto">{label}</span>
      <input
        type="datetime-local"
        className="field sm:!w-auto"
        value={isTime(held) ? localTime(held) : ""}
        onChange={(event) => set({ [name]: event.target.value === "" ? "" : new Date(event.target.value).toISOString() })}
      />
    </label>
  );
}
