import { getRouteApi } from "@tanstack/react-router";
import { SlidersHorizontal, X } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNames } from "@/api/names";
import { useNodeNames } from "@/api/nodes";
import { ALL_APIS, REASONS } from "@/api/words";
import { Button } from "@/shared/Button";
import { useSettled } from "@/shared/clock";
import { CONTINUITIES, FILTERS, isFiltered, OUTCOMES } from "./filter";
import { Time } from "./Time";
import { useCanSearchBodies } from "@/api/bodySearch";
import { useSet } from "./useSet";

const route = getRouteApi("/shell/turns");

interface Pick {
  value: string;
  label: string;
}

/** What a link or the palette looks for, and nobody types here. */
const RARE = ["trace", "request", "response"] as const;
const RARE_LABELS = { trace: "trace", request: "requestID", response: "responseID" } as const;

const named = (list: readonly { id: string; name: string }[]): Pick[] => list.map((each) => ({ value: each.id, label: each.name }));

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
      <Picked name="channel" label={t("channel")} options={named(names.channels)} />
      <Picked name="key" label={t("key")} options={named(names.keys)} />
      {(names.projects.length > 1 || search["project"] !== undefined) && (
        <Picked name="project" label={t("project")} options={named(names.projects)} />
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

function Picked({ name, label, options }: { name: string; label: string; options: readonly Pick[] }) {
  const search = route.useSearch();
  const set = useSet();
  const held = search[name];
  return (
    <select
      aria-label={label}
      className={`field sm:!w-auto sm:max-w-44 ${held === undefined ? "" : "!border-accent font-medium"}`}
      value={held ?? ""}
      onChange={(event) => set({ [name]: event.target.value })}
    >
      <option value="">{label}</option>
      {/* What the address names and the lists do not is kept, and shown. */}
      {held !== undefined && !options.some((each) => each.value === held) && <option value={held}>{held}</option>}
      {options.map((each) => (
        <option key={each.value} value={each.value}>
          {each.label}
        </option>
      ))}
    </select>
  );
}

/** A text that filters once it rests. */
function Typed({ name, label }: { name: string; label: string }) {
  const search = route.useSearch();
  const set = useSet();
  const held = search[name] ?? "";
  const [text, setText] = useState(held);
  const [seen, setSeen] = useState(held);
  if (held !== seen) {
    setSeen(held);
    setText(held);
  }
  const settled = useSettled(text, 400).trim();
  useEffect(() => {
    if (settled !== held && settled === text.trim()) set({ [name]: settled });
    // Only what was typed is set; what the address says is read above.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [settled]);
  return (
    <input
      type="search"
      aria-label={label}
      placeholder={label}
      className={`field sm:!w-36 ${held === "" ? "" : "!border-accent font-medium"}`}
      value={text}
      onChange={(event) => setText(event.target.value)}
    />
  );
}
