/** `?`: what can be done by keyboard. */
import { useTranslation } from "react-i18next";
import { Dialog } from "@/shared/Dialog";

const SHORTCUTS = [
  ["search", ["Ctrl", "K"]],
  ["help", ["?"]],
  ["close", ["Esc"]],
  ["chart", ["←", "→"]],
  ["turn", ["←", "→"]],
  ["menu", ["↑", "↓"]],
] as const;

export function Shortcuts({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Dialog title={t("shortcuts.title")} onClose={onClose}>
      <dl className="grid grid-cols-[auto_1fr] items-baseline gap-x-5 gap-y-2">
        {SHORTCUTS.map(([name, keys]) => (
          <div key={name} className="contents">
            <dt className="whitespace-nowrap">
              {keys.map((key) => (
                <kbd key={key} className="mr-1 rounded border border-line-strong bg-sunken px-1.5 font-mono text-[12px]">
                  {key}
                </kbd>
              ))}
            </dt>
            <dd>{t(`shortcuts.${name}`)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
