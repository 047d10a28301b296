import { useQuery } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNames } from "@/api/names";
import { useFormat } from "@/shared/format";
import { userNamesQuery } from "@/features/users/api";
import { type Change, changesOf, type Shows, textOf } from "./changes";

const MOST = 4;

/** What an entry changed: old → new, a line a field. */
export function Changes({ told, shows }: { told: unknown; shows: Shows }) {
  const { t } = useTranslation("audit");
  const [isWhole, setWhole] = useState(false);
  const changes = changesOf(told);
  if (changes.length === 0) return null;
  const shown = isWhole ? changes : changes.slice(0, MOST);
  return (
    <div className="mt-1.5 space-y-1">
      <dl className="space-y-1">
        {shown.map((change) => (
          <Line key={change.field} change={change} shows={shows} />
        ))}
      </dl>
      {changes.length > MOST && (
        <button
          type="button"
          aria-expanded={isWhole}
          className="min-h-6 text-[13px] text-soft underline hover:text-ink"
          onClick={() => setWhole(!isWhole)}
        >
          {isWhole ? t("fewer") : t("moreFields", { more: changes.length - MOST })}
        </button>
      )}
    </div>
  );
}

function Line({ change, shows }: { change: Change; shows: Shows }) {
  const { t } = useTranslation("audit");
  const before = textOf(change.field, change.old, shows);
  const after = textOf(change.field, change.new, shows);
  return (
    <div className="flex flex-wrap items-baseline gap-x-2 text-[13px]">
      <dt className="text-soft">{t(`fields.${change.field.replaceAll(".", "_")}`, { defaultValue: change.field })}</dt>
      <dd className="min-w-0">
        {before !== "" && <del className="text-soft decoration-line-strong">{before}</del>}
        {before !== "" && after !== "" && (
          <span aria-hidden className="px-1.5 text-soft">
            →
          </span>
        )}
        {after !== "" && <ins className="no-underline">{after}</ins>}
      </dd>
    </div>
  );
}

/** Values that are words of the page, by their field. */
function wordOf(field: string, value: string, t: TFunction<["audit", "app", "budgets", "alerts"]>): string {
  const [name, otherwise] = [value.toUpperCase(), { defaultValue: value }];
  switch (field) {
    case "role":
      return t(`app:roles.${name}`, otherwise);
    case "status":
      return t(`statuses.${value}`, otherwise);
    case "kind":
      return t(`budgets:kinds.${name}`, { defaultValue: t(`alerts:kinds.${name}`, otherwise) });
    case "period":
      return t(`budgets:periods.${name}`, otherwise);
    case "unit":
      return t(`budgets:units.${name}`, otherwise);
    case "action":
      return t(`budgets:actions.${name}`, otherwise);
    case "watched":
      return t(`alerts:watched.${name}`, otherwise);
    default:
      return value;
  }
}

/** How values are told: ids by their names, words and figures in the page's language. */
export function useShows(): Shows {
  const { t } = useTranslation(["audit", "app", "budgets", "alerts"]);
  const format = useFormat();
  const names = useNames();
  const people = useQuery(userNamesQuery).data;
  return useMemo(() => {
    const known = new Map(
      [...names.channels, ...names.keys, ...names.projects].map((each) => [each.id, each.name] as const),
    );
    for (const each of people ?? []) known.set(each.id, each.email);
    return {
      name: (id) => known.get(id) ?? id,
      word: (field, value) => wordOf(field, value, t),
      yesNo: (value) => t(value ? "yes" : "no"),
      number: (value) => (Number.isInteger(value) ? format.whole(value) : String(value)),
      money: format.money,
      time: format.dateTime,
    };
  }, [t, format, names.channels, names.keys, names.projects, people]);
}
