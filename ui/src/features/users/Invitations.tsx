import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { useNames } from "@/api/names";
import { Button } from "@/shared/Button";
import { Confirm } from "@/shared/Dialog";
import { useFormat } from "@/shared/format";
import { Card } from "@/shared/Page";
import { Failure, SkeletonRows } from "@/shared/states";
import { type Column, Table } from "@/shared/Table";
import { tell } from "@/shared/toasts";
import { type Invitation, invitationsQuery, revokeInvitation } from "./api";

/** Invitations that can still be accepted. */
export function Invitations() {
  const { t } = useTranslation(["users", "app"]);
  const queries = useQueryClient();
  const found = useQuery(invitationsQuery);
  const [asked, setAsked] = useState<Invitation>();
  const columns = useColumns(setAsked);
  const revoking = useMutation({
    mutationFn: (invitation: Invitation) => revokeInvitation(invitation.id),
    onSuccess: () => tell(t("told.revoked")),
    onSettled: () => {
      setAsked(undefined);
      void queries.invalidateQueries({ queryKey: ["users"] });
    },
  });
  return (
    <Card title={t("invitations")}>
      {found.isError ? (
        <Failure error={found.error} onRetry={() => void found.refetch()} />
      ) : found.data === undefined ? (
        <SkeletonRows rows={2} />
      ) : found.data.length === 0 ? (
        <p className="text-soft">{t("noInvitations")}</p>
      ) : (
        <Table label={t("invitations")} columns={columns} rows={found.data} keyOf={(row) => row.id} />
      )}
      {asked !== undefined && (
        <Confirm
          title={t("revokeTitle")}
          action={t("revoke")}
          isBusy={revoking.isPending}
          onClose={() => setAsked(undefined)}
          onConfirm={() => revoking.mutate(asked)}
        >
          {t("revokeText")}
        </Confirm>
      )}
    </Card>
  );
}

function useColumns(onRevoke: (invitation: Invitation) => void): Column<Invitation>[] {
  const { t } = useTranslation(["users", "app"]);
  const format = useFormat();
  const names = useNames();
  const mayWrite = useMay("users:write");
  return [
    {
      key: "email",
      title: t("for"),
      cell: (row) => (
        <div className="min-w-28">
          {row.email === "" ? <span className="text-soft">{t("anybody")}</span> : row.email}
          <div className="text-[12.5px] text-soft md:hidden">{t(`app:roles.${row.role}`)}</div>
        </div>
      ),
    },
    { key: "role", title: t("role"), isExtra: true, cell: (row) => t(`app:roles.${row.role}`) },
    {
      key: "project",
      title: t("project"),
      isExtra: true,
      cell: (row) => (row.projectID === null ? t("app:none") : names.project(row.projectID)),
    },
    { key: "by", title: t("invitedBy"), isExtra: true, cell: (row) => row.invitedBy },
    {
      key: "expires",
      title: t("expires"),
      cell: (row) => <span className="whitespace-nowrap" title={format.dateTime(row.expiresAt)}>{format.ago(row.expiresAt)}</span>,
    },
    {
      key: "revoke",
      title: "",
      align: "right",
      cell: (row) =>
        mayWrite && (
          <Button look="quiet" isSmall onClick={() => onRevoke(row)} aria-label={`${t("revoke")}: ${row.email || t("anybody")}`}>
            {t("revoke")}
          </Button>
        ),
    },
  ];
}
