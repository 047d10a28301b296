import { useTranslation } from "react-i18next";
import { Button } from "./Button";
import { Dialog } from "./Dialog";

/** Two versions of one thing, side by side; nothing of either is lost until one is chosen. */
export function Conflict({
  differences,
  onKeep,
  onTake,
  onBack,
  isBusy = false,
}: {
  differences: readonly { field: string; theirs: string; yours: string }[];
  onKeep: () => void;
  onTake: () => void;
  onBack: () => void;
  isBusy?: boolean;
}) {
  const { t } = useTranslation();
  return (
    <Dialog title={t("conflict.title")} isWide onClose={onBack}>
      <p className="mb-4 text-soft">{t("conflict.text")}</p>
      <div className="overflow-x-auto" tabIndex={0} role="group" aria-label={t("conflict.title")}>
        <table className="w-full text-left">
          <thead>
            <tr className="border-b border-line text-[13px] text-soft">
              {(["field", "theirs", "yours"] as const).map((name) => (
                <th key={name} scope="col" className="px-2 py-1.5 font-medium">
                  {t(`conflict.${name}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {differences.map((each) => (
              <tr key={each.field} className="border-b border-line align-top last:border-0">
                <th scope="row" className="px-2 py-2 font-medium">
                  {each.field}
                </th>
                <td className="px-2 py-2 font-mono text-[12.5px] whitespace-pre-wrap">{each.theirs || "–"}</td>
                <td className="px-2 py-2 font-mono text-[12.5px] whitespace-pre-wrap">{each.yours || "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div className="mt-5 flex flex-wrap justify-end gap-2">
        <Button look="quiet" onClick={onBack}>
          {t("conflict.back")}
        </Button>
        <Button onClick={onTake}>{t("conflict.takeTheirs")}</Button>
        <Button look="main" isBusy={isBusy} onClick={onKeep}>
          {t("conflict.keepYours")}
        </Button>
      </div>
    </Dialog>
  );
}
