/** A table of any length: only the rows in sight exist. */
import { memo, type ReactNode, type RefObject, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";

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
/** Rows drawn beyond those in sight, on either side. */
const BEYOND = 8;
/** The range moves by so many rows at once: not each pixel draws. */
const STEP = 4;
/** Rows that leave lend their elements to rows that come: changing texts is cheaper than making elements. */
const LENT = 64;

export function VirtualTable<Row>(props: VirtualTableProps<Row>) {
  const { label, columns, rows, rowHeight, minWidth, onOpen, onEnd, onSeen, footer } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const range = useRange(scroller, rowHeight);
  const first = Math.min(range.first, Math.max(0, rows.length - 1));
  const last = Math.min(range.last, rows.length - 1);
  const slots = Math.ceil((range.last - range.first + 1) / LENT) * LENT;
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
      onMouseOver={(event) => nameWhatIsCut(event.target)}
      style={{ maxHeight: props.height ?? "calc(100dvh - 15rem)", contain: "strict", height: fitted(rows.length, rowHeight, props.height) }}
    >
      <div style={{ minWidth }}>
        <div role="rowgroup" className="sticky top-0 z-10 border-b border-line bg-card">
          <div role="row" aria-rowindex={1} className="grid px-3 text-[13px] text-soft" style={{ gridTemplateColumns: template }}>
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
        <div role="rowgroup" className="relative" style={{ height: rows.length * rowHeight }}>
          {Array.from({ length: last - first + 1 }, (_, place) => (
            <Line
              key={(first + place) % slots}
              row={rows.at(first + place)}
              index={first + place}
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
  height: number;
  columns: readonly WideColumn<unknown>[];
  template: string;
  onOpen: ((row: unknown) => void) | undefined;
}

const Line = memo(function Line({ row, index, height, columns, template, onOpen }: LineProps) {
  const line = useRef<HTMLDivElement>(null);
  // The focus does not go over to another row: it stays with the table.
  useEffect(() => () => leave(line.current), [index]);
  const isThere = row !== undefined;
  return (
    <div
      ref={line}
      role="row"
      aria-rowindex={index + 2}
      aria-busy={!isThere}
      className={`absolute inset-x-0 grid items-center border-b border-line px-3 hover:bg-paper
        ${isThere ? "" : "awaited"} ${isThere && onOpen ? "cursor-pointer" : ""}`}
      style={{ gridTemplateColumns: template, height, contain: "strict", transform: `translateY(${index * height}px)` }}
      onClick={() => isThere && onOpen?.(row)}
    >
      {columns.map((column) => (
        <div
          key={column.key}
          role="cell"
          className={`min-w-0 overflow-clip px-1.5 text-ellipsis whitespace-nowrap ${column.align === "right" ? "text-right" : ""}`}
        >
          {isThere && column.cell(row)}
        </div>
      ))}
    </div>
  );
});

function leave(line: HTMLDivElement | null): void {
  if (line?.contains(document.activeElement)) line.closest<HTMLElement>('[role="table"]')?.focus({ preventScroll: true });
}

/** The first and the last row to draw, by where the table is scrolled to. */
function useRange(scroller: RefObject<HTMLDivElement | null>, rowHeight: number): { first: number; last: number } {
  const [range, setRange] = useState({ first: 0, last: STEP + BEYOND });
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return undefined;
    const look = () => {
      const at = Math.floor(element.scrollTop / rowHeight / STEP) * STEP;
      const first = Math.max(0, at - BEYOND);
      const last = at + Math.ceil(element.clientHeight / rowHeight) + STEP + BEYOND;
      setRange((before) => (before.first === first && before.last === last ? before : { first, last }));
    };
    look();
    element.addEventListener("scroll", look, { passive: true });
    const sizes = new ResizeObserver(look);
    sizes.observe(element);
    return () => {
      element.removeEventListener("scroll", look);
      sizes.disconnect();
    };
  }, [scroller, rowHeight]);
  return range;
}

/** What does not fit its cell is read on hovering; the cell's own titles stay. */
function nameWhatIsCut(target: EventTarget): void {
  if (!(target instanceof HTMLElement) || target.closest('[role="cell"]') === null) return;
  const isCut = target.scrollWidth > target.clientWidth;
  if (isCut) target.title = target.textContent ?? "";
  else if (target.title === target.textContent) target.removeAttribute("title");
}

/** As high as its rows, up to the most there is room for. */
function fitted(count: number, rowHeight: number, height?: string): string {
  return `min(${height ?? "calc(100dvh - 15rem)"}, ${count * rowHeight + 64}px)`;
}
