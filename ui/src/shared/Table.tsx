/** A plain table that scrolls by itself where the page is narrow; `VirtualTable` is for long ones. */
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

export interface Column<Row> {
  key: string;
  title: string;
  cell: (row: Row) => ReactNode;
  align?: "right";
  /** Left out on narrow pages. */
  isExtra?: boolean;
}

/** The menu of a row stays in sight where the table scrolls sideways. */
const PINNED = "sticky right-0 bg-card group-hover:bg-paper max-md:border-l max-md:border-line max-md:!px-1";
const EXTRA = "hidden md:table-cell";

export function Table<Row>({
  label,
  columns,
  rows,
  keyOf,
}: {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
}) {
  const { t } = useTranslation("app");
  return (
    <div className="relative -mx-5 overflow-x-auto" tabIndex={0} role="group" aria-label={label}>
      <table className="w-full border-collapse text-left">
        <caption className="sr-only">{label}</caption>
        <thead>
          <tr className="border-b border-line text-[13px] text-soft">
            {columns.map((column) => (
              <th
                key={column.key}
                scope="col"
                className={`px-3 py-2 font-medium whitespace-nowrap first:pl-5 last:pr-5
                  ${column.align === "right" ? "text-right" : ""} ${column.isExtra ? EXTRA : ""}
                  ${column.title === "" ? PINNED : ""}`}
              >
                {column.title === "" ? <span className="sr-only">{t("actions")}</span> : column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)} className="group border-b border-line last:border-0 hover:bg-paper">
              {columns.map((column) => (
                <td
                  key={column.key}
                  className={`px-3 py-2.5 align-middle [overflow-wrap:break-word] first:pl-5 last:pr-5
                    ${column.align === "right" ? "text-right whitespace-nowrap" : ""} ${column.isExtra ? EXTRA : ""}
                    ${column.title === "" ? PINNED : ""}`}
                >
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
