import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Mail, Plus } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay, useMe } from "@/api/me";
import { Button } from "@/shared/Button";
import { More } from "@/shared/Listing";
import { Card, Page } from "@/shared/Page";
import { Empty, Failure, SkeletonRows } from "@/shared/states";
import { Table } from "@/shared/Table";
import { type Issued, type User, userQuery, usersQuery } from "./api";
import { useColumns } from "./columns";
import { mayChange } from "./draft";
import { Invitations } from "./Invitations";
import { InviteDialog } from "./InviteDialog";
import { IssuedDialog } from "./IssuedDialog";
import { UserDialog } from "./UserDialog";

const route = getRouteApi("/shell/users");

export function UsersPage() {
  const { t } = useTranslation(["users", "app"]);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const mayWrite = useMay("users:write");
  const { permissions } = useMe();
  const [issued, setIssued] = useState<Issued>();
  const found = useInfiniteQuery(usersQuery);
  const rows = found.data?.pages.flatMap((page) => page.nodes);
  const show = (part: Record<string, string>) => void navigate({ search: part });
  const columns = useColumns((user) => show({ user: user.id }));
  const wanted = search["user"];
  // Whom a link names may stand on a page that is not loaded yet.
  const listed = rows?.find((each) => each.id === wanted);
  const single = useQuery({ ...userQuery(wanted ?? ""), enabled: wanted !== undefined && rows !== undefined && listed === undefined });
  const opened = listed ?? single.data;
  const actions = mayWrite && (
    <>
      <Button icon={<Plus size={16} aria-hidden />} onClick={() => show({ new: "user" })}>
        {t("create")}
      </Button>
      <Button look="main" icon={<Mail size={16} aria-hidden />} onClick={() => show({ new: "invitation" })}>
        {t("invite")}
      </Button>
    </>
  );
  return (
    <Page title={t("title")} lead={t("lead")} actions={actions}>
      {found.isError && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      {single.isError && wanted !== undefined && <Failure error={single.error} />}
      <Card title={t("all")}>
        {rows === undefined ? (
          !found.isError && <SkeletonRows />
        ) : (
          <>
            <Table label={t("title")} columns={columns} rows={rows} keyOf={(row: User) => row.id} />
            <More found={found} label={t("app:more")} />
            {rows.length === 1 && mayWrite && <Empty title={t("alone")}>{t("aloneText")}</Empty>}
          </>
        )}
      </Card>
      <Invitations />
      {search["new"] === "user" && mayWrite && <UserDialog onClose={() => show({})} />}
      {search["new"] === "invitation" && mayWrite && (
        <InviteDialog
          onClose={() => show({})}
          onIssued={(made) => {
            show({});
            setIssued(made);
          }}
        />
      )}
      {opened !== undefined && mayChange(opened, permissions) && wanted !== undefined && (
        <UserDialog key={opened.id} user={opened} onClose={() => show({})} />
      )}
      {issued !== undefined && <IssuedDialog issued={issued} onClose={() => setIssued(undefined)} />}
    </Page>
  );
}
