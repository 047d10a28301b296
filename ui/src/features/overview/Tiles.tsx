import { useTranslation } from "react-i18next";
import type { ReactNode } from "react";
import { bytes, milliseconds, share, useFormat } from "@/shared/format";
import { Skeleton } from "@/shared/states";
import { TurnsLink, type TurnsSearch } from "@/shared/TurnsLink";
import type { Span } from "./range";
import { tokensNotResent, type Usage } from "./usage";

interface Tile {
  name: string;
  value: string;
  note?: string;
  search?: TurnsSearch;
}

function useTiles(usage: Usage): Tile[] {
  const { t } = useTranslation("overview");
  const format = useFormat();
  const sums = usage.totals;
  const { p50, p95, turns } = usage.firstEvent;
  return [
    { name: t("tiles.turns"), value: format.count(sums.turns), search: {} },
    {
      name: t("tiles.continued"),
      value: format.percent(share(sums.continued, sums.turns)),
      note: t("tiles.ofTurns", { count: sums.continued, turns: format.count(sums.continued) }),
      search: { continuity: "continued" },
    },
    {
      name: t("tiles.bytes"),
      value: bytes(sums.bytesSaved),
      note: t("tiles.ofBytes", { bytes: bytes(sums.bytesReceived) }),
      search: { continuity: "continued" },
    },
    { name: t("tiles.tokens"), value: format.count(tokensNotResent(sums)), note: t("tiles.estimated") },
    {
      name: t("tiles.cached"),
      value: format.percent(share(sums.cachedTokens, sums.inputTokens)),
      note: t("tiles.ofTokens", { tokens: format.count(sums.inputTokens) }),
    },
    { name: t("tiles.saved"), value: format.money(usage.savedUsd), note: t("tiles.spent", { money: format.money(sums.costUsd) }) },
    {
      name: t("tiles.firstEvent"),
      value: `${milliseconds(p50)} / ${milliseconds(p95)}`,
      note: t("tiles.ofNewest", { count: turns, turns: format.count(turns) }),
    },
    {
      name: t("tiles.failures"),
      value: format.count(sums.failures),
      note: format.percent(share(sums.failures, sums.turns)),
      search: { failed: "1" },
    },
  ];
}

const GRID = "grid grid-cols-2 gap-3 md:grid-cols-4";

export function Tiles({ usage, span, where }: { usage: Usage | undefined; span: Span; where: TurnsSearch }) {
  if (usage === undefined) {
    return (
      <div className={GRID}>
        {Array.from({ length: 8 }, (_, index) => (
          <Skeleton key={index} className="h-[5.6rem] w-full !rounded-2xl" />
        ))}
      </div>
    );
  }
  return <Known usage={usage} span={span} where={where} />;
}

function Known({ usage, span, where }: { usage: Usage; span: Span; where: TurnsSearch }) {
  const tiles = useTiles(usage);
  const { t } = useTranslation("overview");
  const { unpriced } = usage.totals;
  return (
    <>
    <ul className={GRID}>
      {tiles.map((tile) => (
        <li key={tile.name} className="min-w-0">
          <Around search={tile.search && { ...where, ...tile.search }} span={span}>
            <span className="block text-[13px] text-soft sm:truncate">{tile.name}</span>
            <span className="block text-[1.35rem] leading-snug font-semibold tracking-tight">{tile.value}</span>
            <span className="block text-[12.5px] text-soft sm:truncate">{tile.note ?? "\u00a0"}</span>
          </Around>
        </li>
      ))}
    </ul>
    {unpriced > 0 && <p className="mt-2 text-[13px] text-warn">⚠ {t("unpriced", { count: unpriced })}</p>}
    </>
  );
}

const BOX = "block h-full rounded-2xl border border-line bg-card px-4 py-3 shadow-card";

function Around({ search, span, children }: { search: TurnsSearch | undefined; span: Span; children: ReactNode }) {
  if (search === undefined) return <div className={BOX}>{children}</div>;
  return (
    <TurnsLink search={{ ...search, since: span.since }} className={`${BOX} hover:border-accent`}>
      {children}
    </TurnsLink>
  );
}
