/** The signature of a connection: its last turns as marks on a wire. A shape for each kind, besides its colour. */
import { memo } from "react";
import { useTranslation } from "react-i18next";
import { kindOf, type MarkKind } from "./marks";

const STEP = 7;
const HEIGHT = 24;
const MIDDLE = HEIGHT / 2;

const INKS: Record<MarkKind, string> = {
  continued: "text-accent",
  begun: "text-soft",
  fresh: "text-warn",
  given: "text-soft",
  failed: "text-bad",
  abandoned: "text-soft",
};

export const Strip = memo(function Strip({
  turns,
  isInFlight = false,
  isEnded = false,
}: {
  turns: readonly string[];
  isInFlight?: boolean;
  isEnded?: boolean;
}) {
  const { t } = useTranslation();
  const shown = turns.slice(-48);
  const end = 6 + shown.length * STEP;
  const width = end + (isEnded ? 4 : 34);
  const counts = new Map<string, number>();
  for (const turn of shown) counts.set(turn, (counts.get(turn) ?? 0) + 1);
  const said = [...counts].map(([turn, count]) => `${count} ${t(`reasonShort.${turn}`, { defaultValue: turn })}`).join(", ");
  return (
    <span className="relative block w-fit max-w-full shrink-0">
      <svg
        role="img"
        aria-label={said === "" ? t("none") : said}
        width={width}
        height={HEIGHT}
        viewBox={`0 0 ${width} ${HEIGHT}`}
        className="block max-w-full"
        preserveAspectRatio="xMaxYMid slice"
      >
        <path d={`M0 ${MIDDLE}H${end}`} stroke="currentColor" strokeWidth="1.5" className="text-line-strong" />
        {!isEnded && (
          <path
            d={`M${end} ${MIDDLE}H${width}`}
            stroke="currentColor"
            strokeWidth="1.5"
            strokeDasharray="2 4"
            className="text-line-strong"
          />
        )}
        {shown.map((turn, index) => (
          <Mark key={index} turn={turn} x={8 + index * STEP} />
        ))}
      </svg>
      {/* Not in the drawing: there each beat would draw the page again. */}
      {isInFlight && <span aria-hidden className="beating absolute top-[7.5px] right-[21.5px] size-[9px] rounded-full bg-accent" />}
    </span>
  );
});

export function Mark({ turn, x }: { turn: string; x: number }) {
  const { t } = useTranslation();
  const kind = kindOf(turn);
  return (
    <g className={INKS[kind]}>
      <title>{t(`reasonShort.${turn}`, { defaultValue: turn })}</title>
      <rect x={x - STEP / 2} y="0" width={STEP} height={HEIGHT} fill="transparent" />
      <Shape kind={kind} x={x} />
    </g>
  );
}

function Shape({ kind, x }: { kind: MarkKind; x: number }) {
  const stroke = { stroke: "currentColor", strokeWidth: 3.6, strokeLinecap: "round" } as const;
  switch (kind) {
    case "continued":
      return <path d={`M${x} 4V20`} {...stroke} />;
    case "begun":
      return <path d={`M${x} 8V16`} {...stroke} />;
    case "fresh":
      // Shorter, with a gap: what was held was not used.
      return (
        <>
          <path d={`M${x} 14V20`} {...stroke} />
          <circle cx={x} cy="6" r="2" fill="currentColor" />
        </>
      );
    case "given":
      return <rect x={x - 1.8} y="4" width="3.6" height="16" rx="1.8" fill="none" stroke="currentColor" strokeWidth="1.2" />;
    case "failed":
      return <path d={`M${x - 2.6} 9.4l5.2 5.2M${x + 2.6} 9.4l-5.2 5.2`} stroke="currentColor" strokeWidth="1.8" strokeLinecap="round" />;
    case "abandoned":
      return <circle cx={x} cy={MIDDLE} r="2.4" fill="var(--card)" stroke="currentColor" strokeWidth="1.3" />;
  }
}

/** What the marks mean, in a line. */
export const StripLegend = memo(function StripLegend() {
  const { t } = useTranslation();
  const entries = [
    ["continued", "continued"],
    ["new_session", "new_session"],
    ["history_rewritten", "fresh"],
    ["as-given", "as-given"],
    ["failed", "failed"],
    ["abandoned", "abandoned"],
  ] as const;
  return (
    <ul className="flex flex-wrap items-center gap-x-4 gap-y-1 text-[12.5px] text-soft">
      {entries.map(([turn, name]) => (
        <li key={turn} className="flex items-center gap-1.5">
          <svg width="10" height={HEIGHT} aria-hidden>
            <Mark turn={turn} x={5} />
          </svg>
          {name === "fresh" ? t("continuity.fresh") : t(`reasonShort.${name}`)}
        </li>
      ))}
    </ul>
  );
});
