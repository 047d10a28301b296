import { useTranslation } from "react-i18next";
import { useNames } from "@/api/names";
import { Spending } from "@/features/keys/KeyFields";
import { AreaField, CheckField } from "@/shared/Field";
import type { ProjectDraft } from "./draft";

interface Parts {
  draft: ProjectDraft;
  change: (part: Partial<ProjectDraft>) => void;
  problem: (field: string) => string | undefined;
}

/** What keys that members make for themselves may have at most. */
export function MemberBounds({ draft, change, problem }: Parts) {
  const { t } = useTranslation("projects");
  const { channels } = useNames();
  const toggle = (id: string) =>
    change({ channels: draft.channels.includes(id) ? draft.channels.filter((each) => each !== id) : [...draft.channels, id] });
  return (
    <section className="space-y-4 border-t border-line pt-5">
      <h3 className="font-semibold">{t("memberBounds")}</h3>
      <p className="text-[13px] text-soft">{t("memberBoundsHint")}</p>
      <AreaField
        label={t("models")}
        hint={t("modelsHint")}
        rows={2}
        spellCheck={false}
        value={draft.models}
        problem={problem("memberBounds.models")}
        onChange={(event) => change({ models: event.target.value })}
      />
      {channels.length > 0 && (
        <fieldset>
          <legend className="mb-1 text-[13px] font-medium">{t("channels")}</legend>
          <p className="mb-2 text-[13px] text-soft">{t(draft.channels.length === 0 ? "allChannels" : "someChannels")}</p>
          <div className="space-y-1">
            {channels.map((each) => (
              <CheckField key={each.id} label={each.name} checked={draft.channels.includes(each.id)} onChange={() => toggle(each.id)} />
            ))}
          </div>
        </fieldset>
      )}
      <Spending draft={draft} change={change} problem={(field) => problem(`memberBounds.${field}`)} />
    </section>
  );
}
