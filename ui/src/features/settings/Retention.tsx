import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { isConflict } from "@/api/errors";
import { useMay } from "@/api/me";
import { Button } from "@/shared/Button";
import { Conflict } from "@/shared/Conflict";
import { Confirm } from "@/shared/Dialog";
import { useDraft } from "@/shared/draft";
import { TextField } from "@/shared/Field";
import { Card } from "@/shared/Page";
import { problemOf } from "@/shared/problems";
import { Failure, isOfFields } from "@/shared/states";
import { tell } from "@/shared/toasts";
import { fetchSettings, type Settings, settingsQuery, type SettingsInput, updateSettings } from "./api";
import { differences, draftOf, inputOf, isShorter } from "./draft";

const FIELDS = ["turnDays", "bodyDays"] as const;

/** How long turns and bodies stay; keeping less is asked for first, keeping more can be undone. */
export function Retention({ settings }: { settings: Settings }) {
  const { t } = useTranslation(["settings", "app"]);
  const queries = useQueryClient();
  const mayWrite = useMay("settings:write");
  const draft = useDraft("settings-retention", draftOf(settings));
  const [seen, setSeen] = useState(settings);
  const [theirs, setTheirs] = useState<Settings>();
  const [asks, setAsks] = useState(false);
  const take = (held: Settings) => {
    draft.discard(draftOf(held));
    setSeen(held);
    setTheirs(undefined);
    queries.setQueryData(settingsQuery.queryKey, held);
  };
  const saving = useMutation({
    mutationFn: (change: { revision: number; input: SettingsInput; before?: Settings }) =>
      updateSettings(change.revision, change.input),
    meta: { isTold: true },
    onSuccess: (made, { before }) => {
      take(made);
      if (before === undefined) return tell(t("app:saved"));
      const { turnDays, bodyDays } = before;
      return tell(t("app:saved"), {
        action: {
          label: t("app:undo"),
          run: () => saving.mutate({ revision: made.revision, input: { turnDays, bodyDays } }),
        },
      });
    },
    onError: async (error) => {
      if (isConflict(error)) setTheirs(await fetchSettings());
    },
    onSettled: () => setAsks(false),
  });
  const shortens = isShorter(draft.value, seen);
  const save = (revision = seen.revision) =>
    saving.mutate({ revision, input: inputOf(draft.value), ...(shortens ? {} : { before: seen }) });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (shortens) setAsks(true);
    else save();
  };
  return (
    <Card title={t("retention.title")}>
      <p className="mb-4 text-soft">{t("retention.text")}</p>
      {mayWrite ? (
        <form onSubmit={submit} className="space-y-4">
          <div className="grid gap-4 sm:grid-cols-2">
            {FIELDS.map((name) => (
              <TextField
                key={name}
                label={t(`retention.${name}`)}
                hint={t(`retention.${name}Hint`)}
                type="number"
                min={1}
                max={3650}
                step={1}
                value={draft.value[name]}
                problem={problemOf(saving.error, name)}
                onChange={(event) => draft.change({ [name]: event.target.value })}
              />
            ))}
          </div>
          {saving.isError && !isConflict(saving.error) && !isOfFields(saving.error) && <Failure error={saving.error} />}
          <div className="flex flex-wrap gap-2">
            <Button type="submit" look="main" isBusy={saving.isPending} disabled={!draft.isChanged}>
              {t("app:save")}
            </Button>
            {draft.isChanged && (
              <Button look="quiet" onClick={() => draft.discard()}>
                {t("app:discard")}
              </Button>
            )}
          </div>
        </form>
      ) : (
        <dl className="grid gap-4 sm:grid-cols-2">
          {FIELDS.map((name) => (
            <div key={name}>
              <dt className="text-[13px] font-medium">{t(`retention.${name}`)}</dt>
              <dd className="text-lg font-semibold">{settings[name]}</dd>
              <dd className="text-[13px] text-soft">{t(`retention.${name}Hint`)}</dd>
            </div>
          ))}
        </dl>
      )}
      {asks && (
        <Confirm
          title={t("retention.askTitle")}
          action={t("retention.askAct")}
          isBusy={saving.isPending}
          onClose={() => setAsks(false)}
          onConfirm={() => save()}
        >
          {t("retention.askText")}
        </Confirm>
      )}
      {theirs !== undefined && (
        <Conflict
          differences={differences(draftOf(theirs), draft.value).map((each) => ({ ...each, field: t(`retention.${each.field}`) }))}
          isBusy={saving.isPending}
          onKeep={() => save(theirs.revision)}
          onTake={() => take(theirs)}
          onBack={() => setTheirs(undefined)}
        />
      )}
    </Card>
  );
}
