import { useTranslation } from "react-i18next";
import { useNames } from "@/api/names";
import { Spending } from "@/features/keys/KeyFields";
import { AreaField, Choices, optionsOf } from "@/shared/Field";
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
      <Choices
        label={t("channels")}
        hint={t(draft.channels.length === 0 ? "allChannels" : "someChannels")}
        options={optionsOf(channels)}
        chosen={draft.channels}
        onChange={(chosen) => change({ channels: chosen })}
      />
      <Spending draft={draft} change={change} problem={(field) => problem(`memberBounds.${field}`)} />
    </section>
  );
}
