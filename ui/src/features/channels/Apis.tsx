/** What the upstream offers, and what becomes of what it has no word for. */
import { useTranslation } from "react-i18next";
import { ALL_APIS, type AnyApi, API_FORMATS, PASSED_APIS, type Unsupported, UNSUPPORTED } from "@/api/words";
import { CheckField, Choice } from "@/shared/Field";
import type { Parts } from "./Connecting";
import { offered } from "./draft";

export function Apis({ draft, change, problem }: Parts) {
  const { t } = useTranslation(["channels", "app"]);
  const apis = offered(draft);
  const set = (api: AnyApi, isOffered: boolean) => {
    const others = ALL_APIS.filter((each) => (each === api ? isOffered : apis.includes(each)));
    change({ apis: { ...draft.apis, [draft.type]: others } });
  };
  const wrong = problem("apis");
  return (
    <div className="space-y-5">
      <fieldset className="min-w-0" aria-describedby="channel-apis">
        <legend className="mb-1 text-[13px] font-medium">{t("apis.title")}</legend>
        <div className="flex flex-wrap gap-x-5 gap-y-3">
          {API_FORMATS.map((api) => (
            <CheckField
              key={api}
              label={t(`app:apis.${api}`)}
              checked={apis.includes(api)}
              onChange={(event) => set(api, event.target.checked)}
            />
          ))}
        </div>
        <p id="channel-apis" className="mt-1 text-[13px] text-soft">
          {wrong !== undefined && <span className="text-bad">✕ {wrong} </span>}
          {t("apis.hint")}
        </p>
      </fieldset>
      <fieldset className="min-w-0" aria-describedby="channel-passed-apis">
        <legend className="mb-1 text-[13px] font-medium">{t("apis.passed")}</legend>
        <div className="flex flex-wrap gap-x-5 gap-y-3">
          {PASSED_APIS.map((api) => (
            <CheckField
              key={api}
              label={t(`app:apis.${api}`)}
              checked={apis.includes(api)}
              onChange={(event) => set(api, event.target.checked)}
            />
          ))}
        </div>
        <p id="channel-passed-apis" className="mt-1 text-[13px] text-soft">
          {t("apis.passedHint")}
        </p>
      </fieldset>
      <Choice
        label={t("fields.unsupported")}
        value={draft.unsupported}
        options={UNSUPPORTED.map((value) => ({ value, label: t(`unsupported.${value}`) }))}
        onChange={(value) => change({ unsupported: value as Unsupported })}
        hint={t(`unsupportedHints.${draft.unsupported}`)}
      />
      {apis.includes("messages") && (
        <CheckField
          label={t("threads")}
          hint={t("threadsHint")}
          checked={draft.threads}
          onChange={(event) => change({ threads: event.target.checked })}
        />
      )}
    </div>
  );
}
