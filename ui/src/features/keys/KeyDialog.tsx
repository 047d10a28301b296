import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { isConflict } from "@/api/errors";
import { useMay } from "@/api/me";
import { Button } from "@/shared/Button";
import { Conflict } from "@/shared/Conflict";
import { Dialog } from "@/shared/Dialog";
import { useDraft } from "@/shared/draft";
import { TextField } from "@/shared/Field";
import { problemOf } from "@/shared/problems";
import { Failure } from "@/shared/states";
import { tell } from "@/shared/toasts";
import { createKey, fetchKey, type Issued, type Key, updateKey } from "./api";
import { differences, draftOf, inputOf, NEW_KEY } from "./draft";
import { Reach, Spending } from "./KeyFields";

export function KeyDialog({
  apiKey,
  onClose,
  onIssued,
}: {
  apiKey?: Key;
  onClose: () => void;
  onIssued?: (issued: Issued) => void;
}) {
  const { t } = useTranslation(["keys", "app"]);
  const queries = useQueryClient();
  const mayWrite = useMay("keys:write") && apiKey?.managedBy !== "FILE" && apiKey?.status !== "REVOKED";
  const initial = apiKey === undefined ? NEW_KEY : draftOf(apiKey);
  const draft = useDraft(`key-${apiKey?.id ?? "new"}`, initial);
  const [seen] = useState(apiKey?.revision ?? 0);
  const [theirs, setTheirs] = useState<Key>();
  const saving = useMutation({
    mutationFn: async (revision: number) => {
      const input = inputOf(draft.value);
      if (apiKey === undefined) return onIssued?.(await createKey(input));
      await updateKey(apiKey.id, revision, input);
      return undefined;
    },
    meta: { isTold: true },
    onSuccess: () => {
      draft.discard(initial);
      if (apiKey !== undefined) {
        tell(t("app:saved"));
        onClose();
      }
      void queries.invalidateQueries({ queryKey: ["keys"] });
      void queries.invalidateQueries({ queryKey: ["names"] });
    },
    onError: async (error) => {
      if (isConflict(error) && apiKey !== undefined) setTheirs(await fetchKey(apiKey.id));
    },
  });
  const problem = (field: string) => problemOf(saving.error, field);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    saving.mutate(seen);
  };
  return (
    <Dialog title={apiKey?.name ?? t("create")} place="side" onClose={onClose}>
      <form onSubmit={submit}>
        <fieldset disabled={!mayWrite} className="space-y-5">
          <TextField
            label={t("name")}
            hint={t("nameHint")}
            required
            autoFocus={apiKey === undefined}
            value={draft.value.name}
            problem={problem("name")}
            onChange={(event) => draft.change({ name: event.target.value })}
          />
          <Reach draft={draft.value} change={draft.change} problem={problem} />
          <Spending draft={draft.value} change={draft.change} problem={problem} />
        </fieldset>
        {saving.isError && !isConflict(saving.error) && <Failure error={saving.error} />}
        {mayWrite && (
          <div className="mt-6 flex gap-2">
            <Button type="submit" look="main" isBusy={saving.isPending}>
              {apiKey === undefined ? t("create") : t("app:save")}
            </Button>
            {draft.isChanged && (
              <Button look="quiet" onClick={() => draft.discard()}>
                {t("app:discard")}
              </Button>
            )}
          </div>
        )}
      </form>
      {theirs !== undefined && (
        <Conflict
          differences={differences(draftOf(theirs), draft.value).map((each) => ({ ...each, field: t(`fields.${each.field}`) }))}
          isBusy={saving.isPending}
          onKeep={() => saving.mutate(theirs.revision)}
          onTake={() => {
            draft.discard(draftOf(theirs));
            onClose();
            void queries.invalidateQueries({ queryKey: ["keys"] });
          }}
          onBack={() => setTheirs(undefined)}
        />
      )}
    </Dialog>
  );
}
