import { getRouteApi } from "@tanstack/react-router";
import { SlidersHorizontal, X } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useNames } from "@/api/names";
import { useNodeNames } from "@/api/nodes";
import { ALL_APIS, REASONS } from "@/api/words";
import { Button } from "@/shared/Button";
import { FITTED, Picker, TypedFilter } from "@/shared/Picker";
import { type Option, optionsOf } from "@/shared/Field";
import { CONTINUITIES, FILTERS, isFiltered, OUTCOMES } from "./filter";
import { Time } from "./Time";
import { useCanSearchBodies } from "@/api/bodySearch";
import { useSet } from "./useSet";

const route = getRouteApi("/shell/turns");

/** What a link or the palette looks for, and nobody types here. */
const RARE = ["trace", "request", "response"] as const;
const RARE_LABELS = { trace: "trace", request: "requestID", response: "responseID" } as const;

export function Filters() {
  const { t } = useTranslation(["turns", "app"]);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const names = useNames();
  const nodes = useNodeNames();
  const set = useSet();
  const canSearch = useCanSearchBodies();
  const [isUnfolded, setUnfolded] = useState(false);
  const count = FILTERS.filter((name) => (search[name] ?? "") !== "").length;
  return (
    <div role="search" aria-label={t("filters")}>
      <Button
        className="w-full sm:hidden"
        aria-expanded={isUnfolded}
        icon={<SlidersHorizontal size={14} aria-hidden />}
        onClick={() => setUnfolded(!isUnfolded)}
      >
        {count === 0 ? t("filters") : `${t("filters")} (${count})`}
      </Button>
    <div className={`${isUnfolded ? "mt-2 grid" : "hidden"} grid-cols-2 gap-2 sm:mt-0 sm:flex sm:flex-wrap sm:items-center`}>
      <Time />
      <Picked name="channel" label={t("channel")} options={optionsOf(names.channels)} />
      <Picked name="key" label={t("key")} options={optionsOf(names.keys)} />
      {(names.projects.length > 1 || search["project"] !== undefined) && (
        <Picked name="project" label={t("project")} options={optionsOf(names.projects)} />
      )}
      {(nodes.length > 1 || search["node"] !== undefined) && (
        <Picked name="node" label={t("node")} options={nodes.map((name) => ({ value: name, label: name }))} />
      )}
      <Picked name="continuity" label={t("continuity")} options={CONTINUITIES.map((value) => ({ value, label: t(`app:continuity.${value}`) }))} />
      <Picked name="reason" label={t("reason")} options={REASONS.map((value) => ({ value, label: t(`app:reasonShort.${value}`) }))} />
      <Picked name="api" label={t("api")} options={ALL_APIS.map((value) => ({ value, label: t(`app:apis.${value}`) }))} />
      <Picked name="upstream" label={t("upstreamApi")} options={ALL_APIS.map((value) => ({ value, label: t(`app:apis.${value}`) }))} />
      <Picked name="outcome" label={t("outcome")} options={OUTCOMES.map((value) => ({ value, label: t(`app:outcomes.${value}`) }))} />
      <Typed name="model" label={t("model")} />
      <Typed name="session" label={t("session")} />
      {RARE.filter((name) => search[name] !== undefined).map((name) => (
        <Typed key={name} name={name} label={t(RARE_LABELS[name])} />
      ))}
      <Typed name="error" label={t("errorCode")} />
      {(canSearch || search["text"] !== undefined) && <Typed name="text" label={t("inBodies")} />}
      <label className="flex items-center gap-2 px-1">
        <input
          type="checkbox"
          className="size-4 accent-accent"
          checked={search["failed"] === "1"}
          onChange={(event) => set({ failed: event.target.checked ? "1" : "" })}
        />
        {t("failedOnly")}
      </label>
      {isFiltered(search) && (
        <Button look="quiet" icon={<X size={14} aria-hidden />} onClick={() => void navigate({ search: {} })}>
          {t("clear")}
        </Button>
      )}
    </div>
    </div>
  );
}

function Picked({ name, label, options }: { name: string; label: string; options: readonly Option[] }) {
  const value = route.useSearch()[name];
  const set = useSet();
  return <Picker label={label} any={label} value={value} options={options} className={FITTED} onPick={(chosen) => set({ [name]: chosen })} />;
}

function Typed({ name, label }: { name: string; label: string }) {
  const value = route.useSearch()[name];
  const set = useSet();
  return <TypedFilter label={label} value={value} onSettle={(typed) => set({ [name]: typed })} />;
}
