import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { localTime } from "@/features/keys/draft";
import { useSet } from "./useSet";

const route = getRouteApi("/shell/turns");
/** As the address has them: so a link is of the last hour whenever it is opened. */
const SPANS = { hour: "1h", day: "24h", week: "7d", month: "30d" };
const SPAN_NAMES = Object.keys(SPANS) as (keyof typeof SPANS)[];
const isTime = (text: string | undefined): text is string => !Number.isNaN(Date.parse(text ?? ""));

/** The last hour, day or week; or from and to. The end is the way far back into a long log. */
export function Time() {
  const { t } = useTranslation("turns");
  const search = route.useSearch();
  const set = useSet();
  const [chooses, setChooses] = useState(false);
  const span = SPAN_NAMES.find((name) => SPANS[name] === search["since"]);
  const isGiven = isTime(search["since"]) || isTime(search["until"]);
  const isShown = isGiven || (chooses && span === undefined);
  return (
    <>
      <select
        aria-label={t("time")}
        className={`field sm:!w-auto ${isGiven || span !== undefined ? "!border-accent font-medium" : ""}`}
        value={isShown ? "given" : (span ?? "")}
        onChange={(event) => {
          const name = event.target.value;
          setChooses(name === "given");
          if (name === "given") return set({ since: "", until: "" });
          set({ since: SPANS[name as keyof typeof SPANS] ?? "", until: "" });
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
