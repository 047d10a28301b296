import type { ReactNode } from "react";
import { useEffect } from "react";

/** The frame of a page: its title (also the window's), what can be done, what stands below. */
export function Page({
  title,
  lead,
  actions,
  children,
}: {
  title: string;
  lead?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  useEffect(() => {
    document.title = `${title} · Longwire`;
  }, [title]);
  return (
    <div className="mx-auto flex w-full max-w-[88rem] min-w-0 flex-col gap-5 px-4 py-5 sm:px-7">
      <header className="flex flex-wrap items-start justify-between gap-x-4 gap-y-2">
        <div className="min-w-0">
          <h1 className="text-xl font-semibold tracking-tight">{title}</h1>
          {lead !== undefined && <p className="text-soft">{lead}</p>}
        </div>
        {actions !== undefined && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

/** How a link between the views of a page looks. */
export const TAB = `rounded-lg px-3 py-1.5 text-soft hover:bg-sunken
  aria-[current=page]:bg-accent-wash aria-[current=page]:font-medium aria-[current=page]:text-accent`;

export function Card({
  title,
  aside,
  children,
  className = "",
}: {
  title?: ReactNode;
  aside?: ReactNode;
  children: ReactNode;
  className?: string;
}) {
  return (
    <section className={`min-w-0 rounded-2xl border border-line bg-card shadow-card ${className}`}>
      {title !== undefined && (
        <header className="flex flex-wrap items-center justify-between gap-2 px-5 pt-4">
          <h2 className="font-semibold">{title}</h2>
          {aside}
        </header>
      )}
      <div className="px-5 py-4">{children}</div>
    </section>
  );
}
