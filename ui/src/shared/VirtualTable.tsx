/** A table of any length: only the rows in sight exist. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, type ReactNode, useEffect, useRef } from "react";

export interface WideColumn<Row> {
  key: string;
  title: string;
  /** As in CSS grid: `8rem`, `minmax(10rem, 1fr)`. */
  width: string;
  align?: "right";
  cell: (row: Row) => ReactNode;
}

export interface VirtualTableProps<Row> {
  label: string;
  columns: readonly WideColumn<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string | number;
  rowHeight: number;
  /** Below it the table scrolls sideways. */
  minWidth: string;
  onOpen?: (row: Row) => void;
  /** The last rows are near: more are wanted. */
  onEnd?: () => void;
  height?: string;
  footer?: ReactNode;
}

const AHEAD = 30;

export function VirtualTable<Row>(props: VirtualTableProps<Row>) {
  const { label, columns, rows, keyOf, rowHeight, minWidth, onOpen, onEnd, footer } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => {
      const row = rows[index];
      return row === undefined ? index : keyOf(row);
    },
    overscan: 8,
    useFlushSync: false,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (onEnd !== undefined && last >= rows.length - AHEAD) onEnd();
  }, [last, rows.length, onEnd]);
  const template = { gridTemplateColumns: columns.map((each) => each.width).join(" ") };
  return (
    <div
      ref={scroller}
      role="table"
      aria-label={label}
      aria-rowcount={rows.length + 1}
      tabIndex={0}
      className="relative overflow-auto"
      style={{ maxHeight: props.height ?? "calc(100dvh - 15rem)", contain: "strict", height: fitted(rows.length, rowHeight, props.height) }}
    >
      <div style={{ minWidth }}>
        <div role="rowgroup" className="sticky top-0 z-10 border-b border-line bg-card">
          <div role="row" aria-rowindex={1} className="grid px-5 text-[13px] text-soft" style={template}>
            {columns.map((column) => (
              <div
                key={column.key}
                role="columnheader"
                className={`truncate px-1.5 py-2 font-medium ${column.align === "right" ? "text-right" : ""}`}
              >
                {column.title}
              </div>
            ))}
          </div>
        </div>
        <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const row = rows[item.index];
            if (row === undefined) return null;
            return (
              <Row
                key={item.key}
                row={row}
                columns={columns}
                index={item.index}
                start={item.start}
                height={rowHeight}
                template={template.gridTemplateColumns}
                onOpen={onOpen}
              />
            );
          })}
        </div>
        {footer}
      </div>
    </div>
  );
}

interface RowProps<R> {
  row: R;
  columns: readonly WideColumn<R>[];
  index: number;
  start: number;
  height: number;
  template: string;
  onOpen: ((row: R) => void) | undefined;
}

/** A row that stays in sight while others scroll by is not drawn again. */
const Row = memo(function Row<R>({ row, columns, index, start, height, template, onOpen }: RowProps<R>) {
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      className={`absolute inset-x-0 grid items-center border-b border-line px-5 hover:bg-paper
        ${onOpen ? "cursor-pointer" : ""}`}
      style={{ gridTemplateColumns: template, height, transform: `translateY(${start}px)`, contain: "strict" }}
      onClick={() => onOpen?.(row)}
    >
      {columns.map((column) => (
        <div
          key={column.key}
          role="cell"
          className={`min-w-0 truncate px-1.5 ${column.align === "right" ? "text-right" : ""}`}
        >
          {column.cell(row)}
        </div>
      ))}
    </div>
  );
}) as <R>(props: RowProps<R>) => ReactNode;

/** As high as its rows, up to the most there is room for. */
function fitted(count: number, rowHeight: number, height?: string): string {
  return `min(${height ?? "calc(100dvh - 15rem)"}, ${count * rowHeight + 64}px)`;
}
