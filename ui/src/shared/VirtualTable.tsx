/** A table of any length: only the rows in sight exist. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, type ReactNode, useEffect, useMemo, useRef } from "react";
import { Skeleton } from "./states";

export interface WideColumn<Row> {
  key: string;
  title: string;
  /** As in CSS grid: `8rem`, `minmax(10rem, 1fr)`. */
  width: string;
  align?: "right";
  cell: (row: Row) => ReactNode;
}

/** An array, or what is like one: rows that are not in memory are undefined, and drawn as such. */
export interface Rows<Row> {
  readonly length: number;
  at: (index: number) => Row | undefined;
}

export interface VirtualTableProps<Row> {
  label: string;
  /** Those that stay the same object are not drawn again. */
  columns: readonly WideColumn<Row>[];
  rows: Rows<Row>;
  keyOf: (row: Row) => string | number;
  rowHeight: number;
  /** Below it the table scrolls sideways. */
  minWidth: string;
  onOpen?: (row: Row) => void;
  /** The last rows are near: more are wanted. */
  onEnd?: () => void;
  /** The first and the last index in sight, when they change. */
  onSeen?: (first: number, last: number) => void;
  height?: string;
  footer?: ReactNode;
}

const AHEAD = 30;

export function VirtualTable<Row>(props: VirtualTableProps<Row>) {
  const { label, columns, rows, keyOf, rowHeight, minWidth, onOpen, onEnd, onSeen, footer } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => {
      const row = rows.at(index);
      return row === undefined ? index : keyOf(row);
    },
    overscan: 8,
  });
  const items = virtual.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (onEnd !== undefined && last >= rows.length - AHEAD) onEnd();
  }, [last, rows.length, onEnd]);
  useEffect(() => onSeen?.(first, last), [first, last, onSeen]);
  const template = useMemo(() => columns.map((each) => each.width).join(" "), [columns]);
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
          <div role="row" aria-rowindex={1} className="grid px-5 text-[13px] text-soft" style={{ gridTemplateColumns: template }}>
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
          {items.map((item) => (
            <Line
              key={item.key}
              row={rows.at(item.index)}
              index={item.index}
              start={item.start}
              height={rowHeight}
              columns={columns as readonly WideColumn<unknown>[]}
              template={template}
              onOpen={onOpen as ((row: unknown) => void) | undefined}
            />
          ))}
        </div>
        {footer}
      </div>
    </div>
  );
}

interface LineProps {
  row: unknown;
  index: number;
  start: number;
  height: number;
  columns: readonly WideColumn<unknown>[];
  template: string;
  onOpen: ((row: unknown) => void) | undefined;
}

const Line = memo(function Line({ row, index, start, height, columns, template, onOpen }: LineProps) {
  const isThere = row !== undefined;
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-busy={!isThere}
      className={`absolute inset-x-0 grid items-center border-b border-line px-5 hover:bg-paper
        ${isThere && onOpen ? "cursor-pointer" : ""}`}
      style={{ gridTemplateColumns: template, height, transform: `translateY(${start}px)` }}
      onClick={() => isThere && onOpen?.(row)}
    >
      {columns.map((column) => (
        <div
          key={column.key}
          role="cell"
          className={`min-w-0 truncate px-1.5 ${column.align === "right" ? "text-right" : ""}`}
        >
          {isThere ? column.cell(row) : <Skeleton className="h-3.5 w-3/4" />}
        </div>
      ))}
    </div>
  );
});

/** As high as its rows, up to the most there is room for. */
function fitted(count: number, rowHeight: number, height?: string): string {
  return `min(${height ?? "calc(100dvh - 15rem)"}, ${count * rowHeight + 64}px)`;
}
