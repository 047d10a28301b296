import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { useNames } from "@/api/names";
import { urlOf } from "@/api/place";
import { Button } from "@/shared/Button";
import { CopyButton } from "@/shared/Copy";
import { Dialog } from "@/shared/Dialog";
import { Choice, SelectField, TextField } from "@/shared/Field";
import { problemOf } from "@/shared/problems";
import { Failure } from "@/shared/states";
import { inviteUser, type Role, ROLES } from "./api";

export function InviteDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation(["users", "app"]);
  const names = useNames();
  const queries = useQueryClient();
  const mayMakeOwners = useMay("owners:write");
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("VIEWER");
  const [projectID, setProjectID] = useState("");
  const inviting = useMutation({
    mutationFn: () => inviteUser({ email: email.trim(), role, projectID: projectID === "" ? null : projectID }),
    meta: { isTold: true },
    onSuccess: () => queries.invalidateQueries({ queryKey: ["users"] }),
  });
  if (inviting.data !== undefined) {
    const link = `${urlOf("join")}#${encodeURIComponent(inviting.data.token)}`;
    return (
      <Dialog title={t("invited")} canClose={false} onClose={onClose}>
        <div className="space-y-4">
          <p>{t("invitedText")}</p>
          <div className="flex flex-wrap items-center gap-2 rounded-xl border border-line bg-sunken p-3">
            <code data-testid="invitation" className="min-w-0 flex-1 font-mono text-[12.5px] break-all">
              {link}
            </code>
            <CopyButton text={link} />
          </div>
          <Button look="main" onClick={onClose}>
            {t("done")}
          </Button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title={t("invite")} onClose={onClose}>
      <form
        className="space-y-5"
        onSubmit={(event) => {
          event.preventDefault();
          inviting.mutate();
        }}
      >
        <TextField
          label={t("email")}
          hint={t("emailHint")}
          type="email"
          value={email}
          problem={problemOf(inviting.error, "email")}
          onChange={(event) => setEmail(event.target.value)}
        />
        <Choice
          label={t("role")}
          value={role}
          options={ROLES.filter((value) => value !== "OWNER" || mayMakeOwners).map((value) => ({
            value,
            label: t(`app:roles.${value}`),
          }))}
          hint={t(`roleHints.${role}`)}
          onChange={(value) => setRole(value as Role)}
        />
        <SelectField
          label={t("project")}
          hint={t("projectHint")}
          value={projectID}
          options={[{ value: "", label: t("app:none") }, ...names.projects.map((each) => ({ value: each.id, label: each.name }))]}
          onChange={(event) => setProjectID(event.target.value)}
        />
        {inviting.isError && <Failure error={inviting.error} />}
        <Button type="submit" look="main" isBusy={inviting.isPending}>
          {t("invite")}
        </Button>
      </form>
    </Dialog>
  );
}
