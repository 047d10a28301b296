import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { meQuery, useMay, useMe } from "@/api/me";
import { Choice, TextField } from "@/shared/Field";
import { FormDialog } from "@/shared/FormDialog";
import { tell } from "@/shared/toasts";
import { createUser, fetchUser, updateUser, type User } from "./api";
import { differences, draftOf, inputOf, NEW_USER, type Role, rolesOf, SECRETS, type Status, STATUSES, type UserDraft } from "./draft";
import { PasswordField } from "./PasswordField";

/** Makes somebody, or changes them. */
export function UserDialog({ user, onClose }: { user?: User; onClose: () => void }) {
  const { t } = useTranslation(["users", "app"]);
  const queries = useQueryClient();
  const mayOwners = useMay("owners:write");
  const isSelf = useMe().user.id === user?.id;
  const shown = ({ role, status, ...texts }: UserDraft) => ({ ...texts, role: t(`app:roles.${role}`), status: t(`statuses.${status}`) });
  const close = (told: string) => {
    tell(told);
    if (isSelf) void queries.invalidateQueries(meQuery);
    onClose();
  };
  return (
    <FormDialog
      title={user?.email ?? t("create")}
      name="user"
      secrets={SECRETS}
      blank={NEW_USER}
      create={({ email, name, role, password }) => createUser({ email: email.trim(), name: name.trim(), role, password })}
      act={t("create")}
      changed={
        user && {
          thing: user,
          draftOf,
          update: (id, revision, draft) => updateUser(id, revision, inputOf(draft)),
          fetch: fetchUser,
          differences: (theirs, yours) =>
            differences(shown(theirs), shown(yours)).map((each) => ({ ...each, field: t(each.field) })),
        }
      }
      touches={["users"]}
      onCreated={(made) => close(t("told.created", { name: made.email }))}
      onChanged={() => close(t("app:saved"))}
      onClose={onClose}
    >
      {({ value, change, problem }) => (
        <>
          {user === undefined && <p className="text-soft">{t("createText")}</p>}
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
        </>
      )}
    </FormDialog>
  );
}
