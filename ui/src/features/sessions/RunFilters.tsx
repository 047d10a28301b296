import { getRouteApi } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useNames } from "@/api/names";
import { optionsOf } from "@/shared/Field";
import { Picker, TypedFilter } from "@/shared/Picker";

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
  return (
    <div className="flex flex-wrap gap-2" role="search" aria-label={t("filters")}>
      <TypedFilter label={t("wholeName")} value={search["text"]} onSettle={set("text")} className="!w-44" />
      <TypedFilter label={t("model")} value={search["model"]} onSettle={set("model")} className="!w-44" />
      <Picker label={t("key")} any={t("allKeys")} value={search["key"]} options={optionsOf(names.keys)} onPick={set("key")} />
      <Picker label={t("channel")} any={t("allChannels")} value={search["channel"]} options={optionsOf(names.channels)} onPick={set("channel")} />
      {names.projects.length > 1 && (
        <Picker label={t("project")} any={t("allProjects")} value={search["project"]} options={optionsOf(names.projects)} onPick={set("project")} />
      )}
      <Picker
        label={t("state")}
        any={t("allStates")}
        value={search["state"]}
        options={[
          { value: "live", label: t("isLive") },
          { value: "ended", label: t("isEnded") },
        ]}
        onPick={set("state")}
      />
      <Picker
        label={t("time")}
        any={t("anyTime")}
        value={search["hours"]}
        options={HOURS.map((value) => ({ value, label: t("lastHours", { count: Number(value) }) }))}
        onPick={set("hours")}
      />
    </div>
  );
}
