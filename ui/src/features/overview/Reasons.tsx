/** Which share of the turns was continued over time, and why the rest were not: in words, with the mend. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { bytes, useFormat } from "@/shared/format";
import { Empty } from "@/shared/states";
import { Table } from "@/shared/Table";
import { TurnsLink } from "@/shared/TurnsLink";
import { Key, useSpanFormat } from "./Key";
import { type Span, starts } from "./range";
import { CONTINUED, reasonRows, sharesOf } from "./shares";
import { OTHERS, type Point } from "./usage";
import { logOfOne, type Where } from "./where";

interface Props {
  points: readonly Point[];
  span: Span;
  where: Where;
}

export function Reasons({ points, span, where }: Props) {
  const { t } = useTranslation("overview");
  const format = useFormat();
  const rows = reasonRows(points);
  if (rows.length === 0) return <Empty title={t("noShares")} />;
  return (
    <>
      <p className="mb-2">{t("sharesOf", { share: format.percent(rows.find((row) => row.name === CONTINUED)?.share ?? 0) })}</p>
      <Shares points={points} span={span} />
      <div className="mt-4">
        <Why points={points} span={span} where={where} />
      </div>
    </>
  );
}

/** Bars of equal height. What they show stands in the table below, too, so that they take no stop of the keyboard. */
function Shares({ points, span }: { points: readonly Point[]; span: Span }) {
  const { t } = useTranslation(["overview", "app"]);
  const format = useFormat();
  const dated = useSpanFormat(span);
  const [at, setAt] = useState<number>();
  const { bars, names } = sharesOf(points, starts(span));
  const label = (name: string) => (name === OTHERS ? t("others") : t(`app:reasonShort.${name}`, { defaultValue: name }));
  const looked = at === undefined ? undefined : bars[at];
  return (
    <figure aria-label={t("shares")}>
      <figcaption className="mb-2 flex min-h-6 flex-wrap items-center gap-x-4 gap-y-1 text-[13px] text-soft">
        {looked !== undefined && <strong className="text-ink">{dated(looked.start)}</strong>}
        {names.map((name, index) => {
          const part = looked?.parts.find((each) => each.name === name);
          return <Key key={name} index={index} text={part === undefined ? label(name) : `${label(name)}: ${format.percent(part.value)}`} />;
        })}
      </figcaption>
      <div aria-hidden className="flex h-32 items-stretch border-y border-line bg-sunken" onMouseLeave={() => setAt(undefined)}>
        {bars.map((bar, index) => (
          <div key={bar.start} className="flex min-w-0 flex-1 flex-col-reverse hover:opacity-80" onMouseEnter={() => setAt(index)}>
            {bar.parts.map(
              (part, place) =>
                part.value > 0 && (
                  <span
                    key={part.name}
                    className={`chart-c${Math.min(place, 5)} block w-full ${part.name === CONTINUED ? "border-t-2 border-ink" : ""}`}
                    style={{ height: `${part.value * 100}%` }}
                  />
                ),
            )}
          </div>
        ))}
      </div>
      <div aria-hidden className="mt-1 flex justify-between text-[12px] text-soft">
        {[0, Math.floor(bars.length / 2), bars.length - 1].map((index) => (
          <span key={index}>{bars[index] === undefined ? "" : dated(bars[index].start)}</span>
        ))}
      </div>
    </figure>
  );
}

/** Each reason in words; its name leads to its turns. */
function Why({ points, span, where }: { points: readonly Point[]; span: Span; where: Where }) {
  const { t } = useTranslation(["overview", "app", "turns"]);
  const format = useFormat();
  const words = (name: string) => (
    <>
      {t(`app:reasons.${name}`, { defaultValue: "" })} <span className="text-soft">{t(`turns:advice.${name}`, { defaultValue: "" })}</span>
    </>
  );
  return (
    <Table
      label={t("shares")}
      rows={reasonRows(points)}
      keyOf={(row) => row.name}
      columns={[
        {
          key: "name",
          title: t("one.REASON"),
          cell: (row) => (
            <>
              <TurnsLink search={{ ...logOfOne(where, "REASON", row.name), since: span.since }} className="font-medium underline">
                {t(`app:reasonShort.${row.name}`, { defaultValue: row.name })}
              </TurnsLink>
              <span className="block min-w-40 text-[13px] whitespace-normal md:hidden">{words(row.name)}</span>
            </>
          ),
        },
        { key: "turns", title: t("metrics.turns"), align: "right", cell: (row) => format.whole(row.turns) },
        { key: "share", title: t("shareOfSent"), align: "right", cell: (row) => format.percent(row.share) },
        {
          key: "words",
          title: t("reasonText"),
          isExtra: true,
          cell: (row) => <span className="block max-w-[46rem] whitespace-normal">{words(row.name)}</span>,
        },
        { key: "sent", title: t("turns:sent"), align: "right", isExtra: true, cell: (row) => bytes(row.bytesSent) },
      ]}
    />
  );
}
