import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { useNames } from "@/api/names";
import { Button } from "@/shared/Button";
import { Dialog } from "@/shared/Dialog";
import { useDraft } from "@/shared/draft";
import { Choice, SelectField, TextField } from "@/shared/Field";
import { problemOf } from "@/shared/problems";
import { Failure } from "@/shared/states";
import { inviteUser, type Issued } from "./api";
import { type Role, rolesOf } from "./draft";

const NEW = { email: "", role: "VIEWER" as Role, projectID: "" };

export function InviteDialog({ onClose, onIssued }: { onClose: () => void; onIssued: (issued: Issued) => void }) {
  const { t } = useTranslation(["users", "app"]);
  const queries = useQueryClient();
  const names = useNames();
  const mayOwners = useMay("owners:write");
  const draft = useDraft("invitation-new", NEW);
  const { value, change } = draft;
  const inviting = useMutation({
    mutationFn: () => inviteUser({ email: value.email.trim(), role: value.role, projectID: value.projectID || null }),
    meta: { isTold: true },
    onSuccess: (issued) => {
      draft.discard(NEW);
      void queries.invalidateQueries({ queryKey: ["users"] });
      onIssued(issued);
    },
  });
  const problem = (field: string) => problemOf(inviting.error, field);
  return (
    <Dialog title={t("invite")} place="side" onClose={onClose}>
      <form
        className="space-y-5"
        onSubmit={(event) => {
          event.preventDefault();
          inviting.mutate();
        }}
      >
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
            ...names.projects.map((each) => ({ value: each.id, label: each.name })),
          ]}
          onChange={(event) => change({ projectID: event.target.value })}
        />
        {inviting.isError && <Failure error={inviting.error} />}
        <Button type="submit" look="main" isBusy={inviting.isPending}>
          {t("inviteAct")}
        </Button>
      </form>
    </Dialog>
  );
}
