import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { useNames } from "@/api/names";
import { Choice, optionsOf, SelectField, TextField } from "@/shared/Field";
import { FormDialog } from "@/shared/FormDialog";
import { inviteUser, type Issued } from "./api";
import { type Role, rolesOf } from "./draft";

const NEW = { email: "", role: "VIEWER" as Role, projectID: "" };

export function InviteDialog({ onClose, onIssued }: { onClose: () => void; onIssued: (issued: Issued) => void }) {
  const { t } = useTranslation(["users", "app"]);
  const names = useNames();
  const mayOwners = useMay("owners:write");
  return (
    <FormDialog
      title={t("invite")}
      name="invitation"
      blank={NEW}
      create={({ email, role, projectID }) => inviteUser({ email: email.trim(), role, projectID: projectID || null })}
      act={t("inviteAct")}
      touches={["users"]}
      onCreated={onIssued}
      onClose={onClose}
    >
      {({ value, change, problem }) => (
        <>
          <p className="text-soft">{t("inviteText")}</p>
          <TextField
            label={t("email")}
            hint={t("inviteEmailHint")}
            type="email"
            autoFocus
            value={value.email}
            problem={problem("email")}
            onChange={(event) => change({ email: event.target.value })}
          />
          <Choice
            label={t("role")}
            hint={t(`roleHints.${value.role}`)}
            value={value.role}
            options={rolesOf(mayOwners).map((role) => ({ value: role, label: t(`app:roles.${role}`) }))}
            onChange={(role) => change({ role: role as Role })}
          />
          <SelectField
            label={t("project")}
            hint={t("projectHint")}
            value={value.projectID}
            problem={problem("projectID")}
            options={[
              { value: "", label: t("app:none") },
              ...optionsOf(names.projects),
            ]}
            onChange={(event) => change({ projectID: event.target.value })}
          />
        </>
      )}
    </FormDialog>
  );
}
