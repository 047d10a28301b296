/** Ctrl K: every place, channel, key and action, found by a few letters. */
import { useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { useMe } from "@/api/me";
import { useNames } from "@/api/names";
import { Dialog } from "@/shared/Dialog";
import { type Language, LANGUAGES, speak } from "@/shared/i18n/language";
import { found, type Entry } from "./found";
import { PLACES } from "./places";
import { setTheme, THEMES } from "./theme";

function useEntries(): Entry[] {
  const { t } = useTranslation();
  const { permissions } = useMe();
  const navigate = useNavigate();
  const names = useNames();
  const may = (permission: string | undefined) => permission === undefined || permissions.includes(permission);
  const entry = (group: string, name: string, run: () => unknown): Entry => ({ group, name, run: () => void run() });
  const go = t("palette.go");
  const act = t("palette.act");
  return [
    ...PLACES.flat()
      .filter((place) => may(place.permission))
      .map((place) => entry(go, t(`places.${place.name}`), () => navigate({ to: place.to }))),
    entry(go, t("places.start"), () => navigate({ to: "/start" })),
    ...(may("channels:write")
      ? [entry(act, t("palette.newChannel"), () => navigate({ to: "/channels/new", search: {} }))]
      : []),
    ...(may("keys:write")
      ? [entry(act, t("palette.newKey"), () => navigate({ to: "/keys", search: { new: "1" } }))]
      : []),
    ...THEMES.map((theme) => entry(act, `${t("palette.theme")}: ${t(`theme.${theme}`)}`, () => setTheme(theme))),
    ...Object.entries(LANGUAGES).map(([language, name]) => entry(act, name, () => speak(language as Language))),
    ...names.channels.map((each) =>
      entry(t("places.channels"), each.name, () => navigate({ to: "/channels/$channel", params: { channel: each.id } })),
    ),
    ...names.keys.map((each) => entry(t("places.keys"), each.name, () => navigate({ to: "/keys", search: { key: each.id } }))),
  ];
}

export function Palette({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const id = useId();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const entries = found(useEntries(), text);
  const run = (entry: Entry | undefined) => {
    if (entry === undefined) return;
    onClose();
    entry.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setAt((at + step + entries.length) % Math.max(1, entries.length));
    }
    if (event.key === "Enter" && !event.nativeEvent.isComposing) run(entries[at]);
  };
  return (
    <Dialog title={t("palette.open")} onClose={onClose}>
      <input
        className="field mb-3"
        role="combobox"
        aria-expanded="true"
        aria-controls={id}
        aria-activedescendant={entries[at] === undefined ? undefined : `${id}-${at}`}
        aria-label={t("palette.open")}
        placeholder={t("palette.placeholder")}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ul id={id} role="listbox" aria-label={t("palette.open")} className="max-h-80 overflow-y-auto">
        {entries.map((entry, index) => (
          <li
            key={`${entry.group}-${entry.name}-${index}`}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === at}
            className={`flex items-center justify-between gap-3 rounded-lg px-3 py-1.5 ${index === at ? "bg-accent-wash" : ""}`}
            ref={index === at ? (element) => element?.scrollIntoView({ block: "nearest" }) : undefined}
            onMouseMove={() => setAt(index)}
            onClick={() => run(entry)}
          >
            <span className="min-w-0 truncate">{entry.name}</span>
            <span className="shrink-0 text-[12px] text-soft">{entry.group}</span>
          </li>
        ))}
      </ul>
      {entries.length === 0 && <p className="py-4 text-center text-soft">{t("palette.none")}</p>}
    </Dialog>
  );
}
