import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { UserPlus } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay, useMe } from "@/api/me";
import { useNames } from "@/api/names";
import { Badge } from "@/shared/Badge";
import { Button } from "@/shared/Button";
import { useFormat } from "@/shared/format";
import { Card, Page } from "@/shared/Page";
import { Empty, Failure, SkeletonRows } from "@/shared/states";
import { Table } from "@/shared/Table";
import { tell } from "@/shared/toasts";
import { type Invitation, revokeInvitation, type User, usersQuery } from "./api";
import { InviteDialog } from "./InviteDialog";
import { UserMenu } from "./UserMenu";

export function UsersPage() {
  const { t } = useTranslation("users");
  const mayWrite = useMay("users:write");
  const found = useQuery(usersQuery);
  const [isOpen, setOpen] = useState(false);
  return (
    <Page
      title={t("title")}
      lead={t("lead")}
      actions={
        mayWrite && (
          <Button look="main" icon={<UserPlus size={16} aria-hidden />} onClick={() => setOpen(true)}>
            {t("invite")}
          </Button>
        )
      }
    >
      {found.isError && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      <Card title={t("people")}>
        {found.data === undefined ? <SkeletonRows /> : <People users={found.data.users.nodes} mayWrite={mayWrite} />}
      </Card>
      <Card title={t("invitations")}>
        {found.data === undefined ? (
          <SkeletonRows rows={2} />
        ) : (
          <Invitations invitations={found.data.invitations.nodes} mayWrite={mayWrite} />
        )}
      </Card>
      {isOpen && <InviteDialog onClose={() => setOpen(false)} />}
    </Page>
  );
}

function People({ users, mayWrite }: { users: readonly User[]; mayWrite: boolean }) {
  const { t } = useTranslation(["users", "app"]);
  const format = useFormat();
  const me = useMe();
  return (
    <Table
      label={t("people")}
      rows={users}
      keyOf={(row) => row.id}
      columns={[
        {
          key: "who",
          title: t("who"),
          cell: (row) => (
            <div className="min-w-44">
              <span className="font-medium">{row.name || row.email}</span>
              {row.id === me.user.id && <span className="text-soft"> · {t("you")}</span>}
              {row.name !== "" && <div className="text-[13px] text-soft">{row.email}</div>}
            </div>
          ),
        },
        { key: "role", title: t("role"), cell: (row) => t(`app:roles.${row.role}`) },
        {
          key: "status",
          title: t("status"),
          cell: (row) => <Badge tone={row.status === "ACTIVE" ? "good" : "plain"}>{t(`statuses.${row.status}`)}</Badge>,
        },
        {
          key: "seen",
          title: t("lastSignIn"),
          isExtra: true,
          cell: (row) => (row.lastSignInAt === null ? t("never") : format.ago(row.lastSignInAt)),
        },
        {
          key: "menu",
          title: "",
          align: "right",
          cell: (row) => mayWrite && row.id !== me.user.id && <UserMenu user={row} />,
        },
      ]}
    />
  );
}

function Invitations({ invitations, mayWrite }: { invitations: readonly Invitation[]; mayWrite: boolean }) {
  const { t } = useTranslation(["users", "app"]);
  const format = useFormat();
  const names = useNames();
  const queries = useQueryClient();
  const revoking = useMutation({
    mutationFn: revokeInvitation,
    onSuccess: () => tell(t("revoked")),
    onSettled: () => queries.invalidateQueries({ queryKey: ["users"] }),
  });
  if (invitations.length === 0) return <Empty title={t("noInvitations")}>{t("noInvitationsText")}</Empty>;
  return (
    <Table
      label={t("invitations")}
      rows={invitations}
      keyOf={(row) => row.id}
      columns={[
        { key: "who", title: t("who"), cell: (row) => row.email || t("whoever") },
        { key: "role", title: t("role"), cell: (row) => t(`app:roles.${row.role}`) },
        {
          key: "project",
          title: t("project"),
          isExtra: true,
          cell: (row) => (row.projectID === null ? "–" : names.project(row.projectID)),
        },
        { key: "by", title: t("by"), isExtra: true, cell: (row) => row.invitedBy },
        { key: "expires", title: t("expires"), cell: (row) => format.ago(row.expiresAt) },
        {
          key: "revoke",
          title: "",
          align: "right",
          cell: (row) =>
            mayWrite && (
              <Button
                isSmall
                look="danger"
                isBusy={revoking.isPending && revoking.variables === row.id}
                onClick={() => revoking.mutate(row.id)}
              >
                {t("revoke")}
              </Button>
            ),
        },
      ]}
    />
  );
}
