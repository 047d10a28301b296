import { useEffect, useMemo, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { OnDemand } from "@/shared/OnDemand";
import { previousQuery } from "./api";
import { type Line, type Pair, rowsOf } from "./difference";

/** This turn's request beside that of the turn before it, opened at the first place that differs. */
export function Difference({ id }: { id: string }) {
  const { t } = useTranslation("turns");
  const mayRead = useMay("bodies:read");
  if (!mayRead) return null;
  return (
    <OnDemand title={t("difference")} act={t("showDifference")} query={previousQuery(id)}>
      {({ previous, bodies }) => {
        const [before, now] = [previous?.bodies?.request, bodies?.request];
        if (before === undefined || now === undefined) return <p className="text-soft">{t("noPrevious")}</p>;
        return <Rows before={before} now={now} />;
      }}
    </OnDemand>
  );
}

function Rows({ before, now }: { before: string; now: string }) {
  const { t } = useTranslation("turns");
  const rows = useMemo(() => rowsOf(before, now), [before, now]);
  const first = useRef<HTMLDetailsElement>(null);
  useEffect(() => first.current?.scrollIntoView({ block: "center" }), []);
  const opened = rows.findIndex((row) => !("equal" in row));
  return (
    <ol className="space-y-2">
      {rows.map((row, at) => (
        <li key={at}>
          {"equal" in row ? (
            <p className="text-[13px] text-soft">{t("equalItems", { count: row.equal, name: row.name })}</p>
          ) : (
            <details ref={at === opened ? first : undefined} open={at === opened} className="rounded-xl bg-sunken px-3 py-2">
              <summary className="font-mono text-[13px] break-all">{row.name}</summary>
              <Sides pair={row} />
            </details>
          )}
        </li>
      ))}
    </ol>
  );
}

function Sides({ pair }: { pair: Pair }) {
  const { t } = useTranslation("turns");
  return (
    <div className="mt-2 grid gap-2 sm:grid-cols-2">
      <Side name={t("turnBefore")} lines={pair.before} mark="−" look="bg-bad-wash" />
      <Side name={t("thisTurn")} lines={pair.now} mark="+" look="bg-accent-wash" />
    </div>
  );
}

/** One side; what differs has a mark, not a colour alone. */
function Side({ name, lines, mark, look }: { name: string; lines: Line[]; mark: string; look: string }) {
  const { t } = useTranslation("turns");
  return (
    <div className="min-w-0">
      <p className="text-[13px] text-soft">{name}</p>
      {lines.length === 0 && <p className="text-[13px]">{t("notThere")}</p>}
      <pre tabIndex={0} aria-label={name} className="max-h-96 overflow-auto text-[12px] break-all whitespace-pre-wrap">
        {lines.map((line, at) => (
          <span key={at} className={`block ${line.isOther ? look : ""}`}>
            {line.isOther ? mark : " "} {line.text}
          </span>
        ))}
      </pre>
    </div>
  );
}
