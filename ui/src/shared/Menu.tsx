import { Ellipsis } from "lucide-react";
import { type ReactNode, useEffect, useId, useLayoutEffect, useRef, useState } from "react";
import { looksOf } from "./Button";

export interface MenuItem {
  label: string;
  icon?: ReactNode;
  isDanger?: boolean;
  run: () => void;
}

const GAP = 4;

/** Below the button where there is room, else above it. */
function place(list: HTMLElement, button: HTMLElement): void {
  const at = button.getBoundingClientRect();
  const isBelow = at.bottom + GAP + list.offsetHeight <= innerHeight || at.top < list.offsetHeight + GAP;
  list.style.top = `${isBelow ? at.bottom + GAP : at.top - GAP - list.offsetHeight}px`;
  list.style.left = `${Math.max(GAP, at.right - list.offsetWidth)}px`;
}

/** A button with a list of actions: arrows move, Escape and leaving close, Enter acts. */
export function Menu({ label, items, children }: { label: string; items: readonly MenuItem[]; children?: ReactNode }) {
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();
  useLayoutEffect(() => {
    const [entries, opener] = [list.current, button.current];
    if (!isOpen || entries === null || opener === null) return undefined;
    // In the top layer no table that scrolls cuts it off; it goes where its button goes.
    const follow = () => place(entries, opener);
    entries.showPopover();
    follow();
    addEventListener("scroll", follow, true);
    addEventListener("resize", follow);
    return () => {
      removeEventListener("scroll", follow, true);
      removeEventListener("resize", follow);
    };
  }, [isOpen]);
  useEffect(() => {
    if (isOpen) root.current?.querySelector<HTMLElement>('[role="menuitem"]')?.focus({ preventScroll: true });
  }, [isOpen]);
  const move = (by: number) => {
    const entries = [...(root.current?.querySelectorAll<HTMLElement>('[role="menuitem"]') ?? [])];
    const at = entries.indexOf(document.activeElement as HTMLElement);
    entries[(at + by + entries.length) % entries.length]?.focus();
  };
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  const keys: Record<string, () => void> = { ArrowDown: () => move(1), ArrowUp: () => move(-1), Escape: close };
  return (
    <div
      ref={root}
      className="inline-block text-left"
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) setOpen(false);
      }}
      onKeyDown={(event) => {
        const act = isOpen ? keys[event.key] : undefined;
        if (act === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        act();
      }}
    >
      <button
        ref={button}
        type="button"
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={isOpen ? id : undefined}
        aria-label={children === undefined ? label : undefined}
        className={looksOf("quiet", true)}
        onClick={() => setOpen(!isOpen)}
      >
        {children ?? <Ellipsis size={16} aria-hidden />}
      </button>
      {isOpen && (
        <div
          ref={list}
          id={id}
          popover="manual"
          role="menu"
          aria-label={label}
          className="fixed inset-auto m-0 min-w-44 text-ink rounded-xl border border-line bg-card p-1 shadow-card"
        >
          {items.map((item) => (
            <button
              key={item.label}
              type="button"
              role="menuitem"
              className={`flex w-full items-center gap-2 rounded-lg px-3 py-1.5 text-left hover:bg-sunken
                ${item.isDanger ? "text-bad" : ""}`}
              onClick={() => {
                close();
                item.run();
              }}
            >
              {item.icon}
              {item.label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
