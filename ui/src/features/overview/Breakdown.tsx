import { useTranslation } from "react-i18next";
import { bytes, share, useFormat } from "@/shared/format";
import { Table } from "@/shared/Table";
import { TurnsLink } from "@/shared/TurnsLink";
import { Empty } from "@/shared/states";
import type { Span } from "./range";
import { type By, type Point, sumsByName } from "./usage";
import { logOfOne, type Where } from "./where";

/** What each channel, model, key, project, API or reason came to; its name leads to its turns. */
export function Breakdown({
  points,
  by,
  span,
  where,
  nameOf,
}: {
  points: readonly Point[];
  by: By;
  span: Span;
  where: Where;
  nameOf: (name: string) => string;
}) {
  const { t } = useTranslation("overview");
  const format = useFormat();
  const rows = sumsByName(points);
  if (rows.length === 0) return <Empty title={t("noTurns")} />;
  return (
    <Table
      label={t(`bys.${by}`)}
      rows={rows}
      keyOf={(row) => row.name}
      columns={[
        {
          key: "name",
          title: t(`one.${by}`),
          cell: (row) =>
            row.name === "" || by === "USER" ? (
              <span className={row.name === "" ? "text-soft" : "font-medium"}>{nameOf(row.name)}</span>
            ) : (
              <TurnsLink search={{ ...logOfOne(where, by, row.name), since: span.since }} className="font-medium underline">
                {nameOf(row.name)}
              </TurnsLink>
            ),
        },
        { key: "turns", title: t("metrics.turns"), align: "right", cell: (row) => format.whole(row.sums.turns) },
        {
          key: "continued",
          title: t("tiles.continued"),
          align: "right",
          cell: (row) => format.percent(share(row.sums.continued, row.sums.turns)),
        },
        { key: "saved", title: t("tiles.bytes"), align: "right", cell: (row) => bytes(row.sums.bytesSaved) },
        {
          key: "cached",
          title: t("tiles.cached"),
          align: "right",
          isExtra: true,
          cell: (row) => format.percent(share(row.sums.cachedTokens, row.sums.inputTokens)),
        },
        { key: "cost", title: t("metrics.costUsd"), align: "right", cell: (row) => format.money(row.sums.costUsd) },
        { key: "failures", title: t("metrics.failures"), align: "right", cell: (row) => format.whole(row.sums.failures) },
      ]}
    />
  );
}
