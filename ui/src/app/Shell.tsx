import { Link, Outlet } from "@tanstack/react-router";
import { Menu as MenuIcon, Search } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useMe } from "@/api/me";
import { useIsGuideWanted } from "@/features/start/progress";
import { Button, IconButton } from "@/shared/Button";
import { Dialog } from "@/shared/Dialog";
import { Account } from "./Account";
import { Palette } from "./Palette";
import { OpenAlerts } from "./OpenAlerts";
import { PLACES, START } from "./places";
import { ReachBar } from "./ReachBar";
import { Shortcuts } from "./Shortcuts";

export function Shell() {
  const { t } = useTranslation();
  const [isPaletteOpen, setPaletteOpen] = useState(false);
  const [isNavOpen, setNavOpen] = useState(false);
  const [areKeysShown, setKeysShown] = useState(false);
  useEffect(() => {
    const open = (event: KeyboardEvent) => {
      if (event.key === "?" && !isTyping(event.target) && document.querySelector("dialog[open]") === null) {
        event.preventDefault();
        setKeysShown(true);
      }
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      setPaletteOpen(true);
    };
    addEventListener("keydown", open);
    return () => removeEventListener("keydown", open);
  }, []);
  const search = (
    <Button look="plain" isSmall className="w-full !justify-start text-soft" onClick={() => setPaletteOpen(true)}>
      <Search size={14} aria-hidden />
      {t("palette.open")}
      <kbd className="ml-auto font-mono text-[11px]">Ctrl K</kbd>
    </Button>
  );
  return (
    <div className="flex min-h-dvh">
      <a
        href="#main"
        className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-lg
          focus:bg-card focus:px-3 focus:py-2"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById("main")?.focus();
        }}
      >
        {t("skip")}
      </a>
      <aside className="sticky top-0 hidden h-dvh w-56 shrink-0 flex-col gap-4 border-r border-line bg-card p-3 lg:flex">
        <Brand />
        {search}
        <Nav onGo={() => undefined} />
        <div className="mt-auto">
          <Account />
        </div>
      </aside>
      <div className="flex min-w-0 flex-1 flex-col">
        <header className="sticky top-0 z-20 flex items-center gap-2 border-b border-line bg-card px-3 py-2 lg:hidden">
          <IconButton label={t("nav")} onClick={() => setNavOpen(true)}>
            <MenuIcon size={18} aria-hidden />
          </IconButton>
          <Brand />
          <span className="ml-auto">
            <IconButton label={t("palette.open")} onClick={() => setPaletteOpen(true)}>
              <Search size={18} aria-hidden />
            </IconButton>
          </span>
        </header>
        <ReachBar />
        <main id="main" tabIndex={-1} className="min-w-0 flex-1 outline-none">
          <Outlet />
        </main>
      </div>
      {isNavOpen && (
        <Dialog title={t("nav")} place="side" onClose={() => setNavOpen(false)}>
          <div className="flex h-full flex-col gap-4">
            <Nav onGo={() => setNavOpen(false)} />
            <div className="mt-auto">
              <Account onGo={() => setNavOpen(false)} />
            </div>
          </div>
        </Dialog>
      )}
      {areKeysShown && <Shortcuts onClose={() => setKeysShown(false)} />}
      {isPaletteOpen && <Palette onClose={() => setPaletteOpen(false)} />}
    </div>
  );
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input:not([type="checkbox"], [type="radio"]), textarea, select, [contenteditable]');
}

function Brand() {
  return (
    <Link to="/" className="flex items-center gap-2 px-1.5 py-1 text-base font-semibold tracking-tight no-underline">
      <svg width="24" height="24" viewBox="0 0 32 32" aria-hidden className="text-accent">
        <path d="M1 16h30" stroke="currentColor" strokeWidth="2" opacity=".55" />
        <path d="M8 8v16M16 8v16M24 11v10" stroke="currentColor" strokeWidth="3.5" strokeLinecap="round" />
      </svg>
      Longwire
    </Link>
  );
}

function Nav({ onGo }: { onGo: () => void }) {
  const { t } = useTranslation();
  const { permissions } = useMe();
  const groups = useIsGuideWanted() ? [[START], ...PLACES] : PLACES;
  return (
    <nav aria-label={t("nav")} className="flex flex-col gap-3 overflow-y-auto">
      {groups.map((group) => (
        <ul key={group[0]?.name} className="space-y-0.5">
          {group
            .filter((place) => place.permission === undefined || permissions.includes(place.permission))
            .map(({ to, name, icon: Icon }) => (
              <li key={to}>
                <Link
                  to={to}
                  activeOptions={{ exact: to === "/", includeSearch: false }}
                  className="flex items-center gap-2.5 rounded-lg px-2.5 py-1.5 text-soft hover:bg-sunken hover:text-ink
                    aria-[current=page]:bg-accent-wash aria-[current=page]:font-medium aria-[current=page]:text-ink"
                  onClick={onGo}
                >
                  <Icon size={16} aria-hidden />
                  {t(`places.${name}`)}
                  {name === "alerts" && <OpenAlerts />}
                </Link>
              </li>
            ))}
        </ul>
      ))}
    </nav>
  );
}
