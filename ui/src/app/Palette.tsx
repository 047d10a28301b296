/** Ctrl K: every place, channel, key and action, found by a few letters; and any id that is pasted. */
import { useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, useEffect, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { useMe } from "@/api/me";
import { useNames } from "@/api/names";
import { Dialog } from "@/shared/Dialog";
import { type Language, LANGUAGES, speak } from "@/shared/i18n/language";
import { type Entry, found, grouped } from "./found";
import { PLACES } from "./places";
import { setTheme, THEMES } from "./theme";
import { useFinds } from "./useFinds";

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
  const [pasted, setPasted] = useState<string>();
  const finds = useFinds(text);
  const own = found(useEntries(), text);
  const isNew = (entry: Entry) => !own.some((each) => each.group === entry.group && each.name === entry.name);
  const groups = grouped([...finds.ids, ...own, ...finds.names.filter(isNew)]);
  const entries = groups.flatMap((each) => each.entries);
  const opened = finds.turn !== undefined && finds.text === pasted && own.length === 0 ? finds.turn : undefined;
  const run = (entry: Entry | undefined) => {
    if (entry === undefined) return;
    onClose();
    entry.run();
  };
  useEffect(() => {
    if (opened !== undefined) run(opened);
    // What was pasted names one turn and nothing else: it opens once.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [opened !== undefined]);
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setAt((at + step + entries.length) % Math.max(1, entries.length));
    }
    if (event.key === "Enter" && !event.nativeEvent.isComposing) {
      // The focus goes back to where it was: this very key must not press what is there.
      event.preventDefault();
      run(entries[at]);
    }
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
        onPaste={(event) => setPasted(event.clipboardData.getData("text").trim())}
        onKeyDown={onKeyDown}
      />
      <ul id={id} role="listbox" aria-label={t("palette.open")} className="max-h-80 overflow-y-auto">
        {groups.map(({ group, entries: those }) => (
          <li key={group} role="presentation">
            <p role="presentation" className="px-3 pt-2 text-[12px] text-soft">
              {group}
            </p>
            <ul role="group" aria-label={group}>
              {those.map((entry) => {
                const index = entries.indexOf(entry);
                return (
                  <li
                    key={`${entry.name}-${index}`}
                    id={`${id}-${index}`}
                    role="option"
                    aria-selected={index === at}
                    className={`truncate rounded-lg px-3 py-1.5 ${index === at ? "bg-accent-wash" : ""}`}
                    ref={index === at ? (element) => element?.scrollIntoView({ block: "nearest" }) : undefined}
                    onMouseMove={() => setAt(index)}
                    onClick={() => run(entry)}
                  >
                    {entry.name}
                  </li>
                );
              })}
            </ul>
          </li>
        ))}
      </ul>
      {entries.length === 0 && (
        <p className="py-4 text-center text-soft" role="status">
          {t(finds.isAsking || finds.text !== text.trim() ? "palette.looking" : "palette.none")}
        </p>
      )}
    </Dialog>
  );
}
