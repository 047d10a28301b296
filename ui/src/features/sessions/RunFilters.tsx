import { getRouteApi } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNames } from "@/api/names";
import { useSettled } from "@/shared/clock";
import { Picked } from "./Filters";

const route = getRouteApi("/shell/sessions");
const HOURS = ["1", "24", "168"] as const;

/** Which sessions or traces are listed; what is picked stands in the address. */
export function RunFilters() {
  const { t } = useTranslation("sessions");
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const names = useNames();
  const set = (name: string) => (value: string) =>
    void navigate({
      search: ({ [name]: _, ...rest }) => (value === "" ? rest : { ...rest, [name]: value }),
      replace: true,
    });
  const named = (list: readonly { id: string; name: string }[]) => list.map((each) => [each.id, each.name] as const);
  return (
    <div className="flex flex-wrap gap-2" role="search" aria-label={t("filters")}>
      <Typed label={t("wholeName")} value={search["text"] ?? ""} onSettle={set("text")} />
      <Typed label={t("model")} value={search["model"] ?? ""} onSettle={set("model")} />
      <Picked label={t("key")} all={t("allKeys")} value={search["key"]} options={named(names.keys)} onPick={set("key")} />
      <Picked label={t("channel")} all={t("allChannels")} value={search["channel"]} options={named(names.channels)} onPick={set("channel")} />
      {names.projects.length > 1 && (
        <Picked label={t("project")} all={t("allProjects")} value={search["project"]} options={named(names.projects)} onPick={set("project")} />
      )}
      <Picked
        label={t("state")}
        all={t("allStates")}
        value={search["state"]}
        options={(["live", "ended"] as const).map((each) => [each, t(each === "live" ? "isLive" : "isEnded")])}
        onPick={set("state")}
      />
      <Picked
        label={t("time")}
        all={t("anyTime")}
        value={search["hours"]}
        options={HOURS.map((hours) => [hours, t("lastHours", { count: Number(hours) })])}
        onPick={set("hours")}
      />
    </div>
  );
}

/** A text that filters once it rests. */
function Typed({ label, value, onSettle }: { label: string; value: string; onSettle: (value: string) => void }) {
  const [text, setText] = useState(value);
  const settled = useSettled(text, 400);
  useEffect(() => {
    if (settled !== value) onSettle(settled.trim());
    // What the address says meanwhile is not written over: only what is typed counts.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [settled]);
  return (
    <input type="search" aria-label={label} placeholder={label} className="field !w-44" value={text} onChange={(event) => setText(event.target.value)} />
  );
}
