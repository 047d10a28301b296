import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { isConflict } from "@/api/errors";
import { meQuery, useMay, useMe } from "@/api/me";
import { Button } from "@/shared/Button";
import { Conflict } from "@/shared/Conflict";
import { Dialog } from "@/shared/Dialog";
import { useDraft } from "@/shared/draft";
import { Choice, TextField } from "@/shared/Field";
import { problemOf } from "@/shared/problems";
import { Failure } from "@/shared/states";
import { tell } from "@/shared/toasts";
import { createUser, fetchUser, updateUser, type User } from "./api";
import { differences, draftOf, inputOf, NEW_USER, type Role, rolesOf, SECRETS, type Status } from "./draft";
import { PasswordField } from "./PasswordField";

const STATUSES: readonly Status[] = ["ACTIVE", "DISABLED"];

/** Makes somebody, or changes them. */
export function UserDialog({ user, onClose }: { user?: User; onClose: () => void }) {
  const { t } = useTranslation(["users", "app"]);
  const queries = useQueryClient();
  const mayOwners = useMay("owners:write");
  const isSelf = useMe().user.id === user?.id;
  const initial = user === undefined ? NEW_USER : draftOf(user);
  const draft = useDraft(`user-${user?.id ?? "new"}`, initial, SECRETS);
  const { value, change } = draft;
  const [seen] = useState(user?.revision ?? 0);
  const [theirs, setTheirs] = useState<User>();
  const saving = useMutation({
    mutationFn: async (revision: number) => {
      const { email, name, role, status } = inputOf(value);
      if (user !== undefined) return updateUser(user.id, revision, { email, name, role, status });
      return createUser({ email: email ?? "", name: name ?? "", role: value.role, password: value.password });
    },
    meta: { isTold: true },
    onSuccess: (made) => {
      draft.discard(initial);
      tell(user === undefined ? t("told.created", { name: made.email }) : t("app:saved"));
      void queries.invalidateQueries({ queryKey: ["users"] });
      if (isSelf) void queries.invalidateQueries(meQuery);
      onClose();
    },
    onError: async (error) => {
      if (isConflict(error) && user !== undefined) setTheirs(await fetchUser(user.id));
    },
  });
  const problem = (field: string) => problemOf(saving.error, field);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    saving.mutate(seen);
  };
  const shown = (field: keyof typeof value, text: string) =>
    field === "role" ? t(`app:roles.${text}`) : field === "status" ? t(`statuses.${text}`) : text;
  return (
    <Dialog title={user?.email ?? t("create")} place="side" onClose={onClose}>
      <form onSubmit={submit} className="space-y-5">
        {user === undefined && <p className="text-soft">{t("createText")}</p>}
        {draft.isRestored && draft.isChanged && <p className="text-[13px] text-soft">{t("app:restored")}</p>}
        <TextField
          label={t("email")}
          hint={t("emailHint")}
          type="email"
          required
          autoFocus={user === undefined}
          value={value.email}
          problem={problem("email")}
          onChange={(event) => change({ email: event.target.value })}
        />
        <TextField
          label={t("name")}
          hint={t("nameHint")}
          maxLength={100}
          value={value.name}
          problem={problem("name")}
          onChange={(event) => change({ name: event.target.value })}
        />
        <Choice
          label={t("role")}
          hint={t(`roleHints.${value.role}`)}
          value={value.role}
          options={rolesOf(mayOwners).map((role) => ({ value: role, label: t(`app:roles.${role}`) }))}
          onChange={(role) => change({ role: role as Role })}
        />
        {user !== undefined && (
          <Choice
            label={t("status")}
            hint={t(`statusHints.${value.status}`)}
            value={value.status}
            options={STATUSES.map((status) => ({ value: status, label: t(`statuses.${status}`) }))}
            onChange={(status) => change({ status: status as Status })}
          />
        )}
        {isSelf && (value.role !== user?.role || value.status !== user.status) && (
          <p className="rounded-lg bg-warn-wash px-3 py-2 text-warn">{t("selfWarning")}</p>
        )}
        {user === undefined && (
          <PasswordField value={value.password} problem={problem("password")} onChange={(password) => change({ password })} />
        )}
        {saving.isError && !isConflict(saving.error) && <Failure error={saving.error} />}
        <div className="flex flex-wrap gap-2">
          <Button type="submit" look="main" isBusy={saving.isPending} disabled={user !== undefined && !draft.isChanged}>
            {user === undefined ? t("create") : t("app:save")}
          </Button>
          {draft.isChanged && (
            <Button look="quiet" onClick={() => draft.discard()}>
              {t("app:discard")}
            </Button>
          )}
        </div>
      </form>
      {theirs !== undefined && (
        <Conflict
          differences={differences(draftOf(theirs), value).map(({ field, theirs, yours }) => ({
            field: t(field),
            theirs: shown(field, theirs),
            yours: shown(field, yours),
          }))}
          isBusy={saving.isPending}
          onKeep={() => saving.mutate(theirs.revision)}
          onTake={() => {
            draft.discard(draftOf(theirs));
            void queries.invalidateQueries({ queryKey: ["users"] });
            onClose();
          }}
          onBack={() => setTheirs(undefined)}
        />
      )}
    </Dialog>
  );
}
