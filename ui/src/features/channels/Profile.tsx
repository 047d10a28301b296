/** What the vendor does differently: its profile, each setting with its source, and what is different here. */
import { useQuery } from "@tanstack/react-query";
import { Plus, X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Badge } from "@/shared/Badge";
import { Button, IconButton } from "@/shared/Button";
import { SelectField } from "@/shared/Field";
import { type Profile, profilesQuery } from "./api";
import type { Parts } from "./Connecting";

export function ProfileFields({ draft, change, problem, inForce }: Parts & { inForce: Profile | null | undefined }) {
  const { t } = useTranslation("channels");
  const profiles = useQuery(profilesQuery).data?.channelProfiles ?? [];
  const names = profiles.map((each) => each.name);
  // One that the gateway does not know any more is kept, and shown.
  const listed = draft.profile === "" || names.includes(draft.profile) ? names : [draft.profile, ...names];
  const byHost = draft.profile === "" && inForce != null ? ` (${inForce.name})` : "";
  return (
    <div className="space-y-4">
      <SelectField
        label={t("fields.profile")}
        hint={t("profile.hint")}
        value={draft.profile}
        problem={problem("profile")}
        options={[{ value: "", label: t("profile.byHost") + byHost }, ...listed.map((value) => ({ value, label: value }))]}
        onChange={(event) => change({ profile: event.target.value })}
      />
      {inForce != null && inForce.settings.length > 0 && <Settings profile={inForce} />}
      <Quirks draft={draft} change={change} problem={problem} />
    </div>
  );
}

function Settings({ profile }: { profile: Profile }) {
  const { t } = useTranslation("channels");
  return (
    <details className="text-[13px]">
      <summary>{t("profile.settings", { name: profile.name, count: profile.settings.length })}</summary>
      <dl className="mt-2 space-y-2">
        {profile.settings.map((each) => (
          <div key={each.name}>
            <dt>
              <code className="font-mono break-all">
                {each.name} = {each.value}
              </code>{" "}
              {each.isOverridden && <Badge shape={false}>{t("profile.overridden")}</Badge>}
            </dt>
            <dd className="break-words text-soft">
              {each.meaning} {t("profile.source", { source: each.source })}
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function Quirks({ draft, change, problem }: Parts) {
  const { t } = useTranslation("channels");
  const settings = useQuery(profilesQuery).data?.profileSettings ?? [];
  const set = (index: number, part: Partial<{ setting: string; value: string }>) =>
    change({ quirks: draft.quirks.map((each, at) => (at === index ? { ...each, ...part } : each)) });
  return (
    <fieldset className="space-y-2">
      <legend className="text-[13px] font-medium">{t("fields.quirks")}</legend>
      <p className="text-[13px] text-soft">{t("profile.quirksHint")}</p>
      {draft.quirks.map((each, index) => {
        const wrong = problem(`quirks.${index}`);
        return (
          <div key={index}>
            <div className="flex items-center gap-2">
              <select
                aria-label={t("profile.setting")}
                className="field font-mono text-[13px]"
                value={each.setting}
                onChange={(event) => set(index, { setting: event.target.value })}
              >
                <option value="">{t("profile.choose")}</option>
                {settings.map(({ name }) => (
                  <option key={name} value={name}>
                    {name}
                  </option>
                ))}
              </select>
              <input
                aria-label={t("profile.value")}
                placeholder="true"
                spellCheck={false}
                className="field font-mono text-[13px]"
                value={each.value}
                aria-invalid={wrong !== undefined}
                onChange={(event) => set(index, { value: event.target.value })}
              />
              <IconButton
                label={t("profile.remove")}
                onClick={() => change({ quirks: draft.quirks.filter((_, at) => at !== index) })}
              >
                <X size={15} aria-hidden />
              </IconButton>
            </div>
            <p className="text-[13px] text-soft">
              {wrong !== undefined && <span className="text-bad">✕ {wrong} </span>}
              {settings.find(({ name }) => name === each.setting)?.meaning}
            </p>
          </div>
        );
      })}
      <Button
        isSmall
        icon={<Plus size={14} aria-hidden />}
        onClick={() => change({ quirks: [...draft.quirks, { setting: "", value: "" }] })}
      >
        {t("profile.add")}
      </Button>
    </fieldset>
  );
}
