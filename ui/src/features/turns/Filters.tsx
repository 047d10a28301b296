import { getRouteApi } from "@tanstack/react-router";
import { X } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNames } from "@/api/names";
import { Button } from "@/shared/Button";
import { useSettled } from "@/shared/clock";
import { CONTINUITIES, isFiltered, OUTCOMES } from "./filter";

const route = getRouteApi("/shell/turns");
const DAY = 86_400_000;
const SPANS = { hour: DAY / 24, day: DAY, week: 7 * DAY };

function useSet() {
  const navigate = route.useNavigate();
  return (part: Record<string, string>) =>
    void navigate({
      search: (before) => Object.fromEntries(Object.entries({ ...before, ...part }).filter(([, value]) => value !== "")),
      replace: true,
    });
}

export function Filters() {
  const { t } = useTranslation(["turns", "app"]);
  const search = route.useSearch();
  const names = useNames();
  const set = useSet();
  const navigate = route.useNavigate();
  const pick = (name: string, title: string, options: readonly { value: string; label: string }[]) => (
    <select
      aria-label={title}
      className="field !w-auto max-w-44"
      value={search[name] ?? ""}
      onChange={(event) => set({ [name]: event.target.value })}
    >
      <option value="">{title}</option>
      {/* What the address names and the lists do not is kept, and shown. */}
      {search[name] !== undefined && !options.some((each) => each.value === search[name]) && (
        <option value={search[name]}>{search[name]}</option>
      )}
      {options.map((each) => (
        <option key={each.value} value={each.value}>
          {each.label}
        </option>
      ))}
    </select>
  );
  const named = (list: readonly { id: string; name: string }[]) => list.map((each) => ({ value: each.id, label: each.name }));
  return (
    <div className="flex flex-wrap gap-2" role="search" aria-label={t("filters")}>
      <Time />
      {pick("channel", t("channel"), named(names.channels))}
      {pick("key", t("key"), named(names.keys))}
      {names.projects.length > 1 && pick("project", t("project"), named(names.projects))}
      {pick("continuity", t("continuity"), CONTINUITIES.map((value) => ({ value, label: t(`app:continuity.${value}`) })))}
      {pick("outcome", t("outcome"), OUTCOMES.map((value) => ({ value, label: t(`app:outcomes.${value}`) })))}
      <Typed name="model" label={t("model")} />
      <Typed name="session" label={t("session")} />
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
  );
}

/** The last hour, day or week; or from and to, as a chart gave them. */
function Time() {
  const { t } = useTranslation("turns");
  const search = route.useSearch();
  const set = useSet();
  const isGiven = search["since"] !== undefined || search["until"] !== undefined;
  return (
    <select
      aria-label={t("time")}
      className="field !w-auto"
      value={isGiven ? "given" : ""}
      onChange={(event) => {
        const span = SPANS[event.target.value as keyof typeof SPANS] as number | undefined;
        const since = span === undefined ? "" : new Date(Date.now() - span).toISOString();
        set({ since, until: "" });
      }}
    >
      <option value="">{t("anyTime")}</option>
      {isGiven && <option value="given">{described(search["since"], search["until"])}</option>}
      {Object.keys(SPANS).map((name) => (
        <option key={name} value={name}>
          {t(`spans.${name}`)}
        </option>
      ))}
    </select>
  );
}

function described(since: string | undefined, until: string | undefined): string {
  const show = (text: string | undefined) => (text === undefined ? "…" : new Date(text).toLocaleString());
  return `${show(since)} – ${show(until)}`;
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
      className="field !w-36"
      value={text}
      onChange={(event) => setText(event.target.value)}
    />
  );
}
