import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Pencil, Plus, Power, Send, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { Badge } from "@/shared/Badge";
import { Button } from "@/shared/Button";
import { Confirm } from "@/shared/Dialog";
import { Menu } from "@/shared/Menu";
import { Notice } from "@/shared/Notice";
import { Card } from "@/shared/Page";
import { Empty, Failure, SkeletonRows } from "@/shared/states";
import { type Column, Table } from "@/shared/Table";
import { tell } from "@/shared/toasts";
import { type Created, deleteDestination, type Destination, destinationsQuery, testDestination, updateDestination } from "./api";
import { DestinationDialog } from "./DestinationDialog";
import { SecretDialog } from "./SecretDialog";

const SIZE = 15;

/** Who is informed; `opened` is the id of a destination, or `new`. */
export function Destinations({ opened, onOpen }: { opened: string | undefined; onOpen: (id?: string) => void }) {
  const { t } = useTranslation("alerts");
  const mayWrite = useMay("alerts:write");
  const found = useQuery(destinationsQuery);
  const [created, setCreated] = useState<Created>();
  const testing = useMutation({ mutationFn: (destination: Destination) => testDestination(destination.id) });
  const columns = useColumns(onOpen, (destination) => testing.mutate(destination), testing.isPending);
  const destination = found.data?.find((each) => each.id === opened);
  const add = mayWrite && (
    <Button isSmall icon={<Plus size={14} aria-hidden />} onClick={() => onOpen("new")}>
      {t("createDestination")}
    </Button>
  );
  const result = testing.data;
  return (
    <Card title={t("destinations")} aside={add}>
      {found.isError && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      {result !== undefined && (
        <div className="pb-3">
          <Notice
            tone={result.status === "DELIVERED" ? "warn" : "bad"}
            title={t(result.status === "DELIVERED" ? "testArrived" : "testFailed", { name: result.destinationName })}
          >
            <span className="break-words">{result.answer}</span>
          </Notice>
        </div>
      )}
      {found.data === undefined ? (
        !found.isError && <SkeletonRows rows={2} />
      ) : found.data.length === 0 ? (
        <Empty title={t("noDestinations")} action={add}>
          {t("noDestinationsText")}
        </Empty>
      ) : (
        <Table label={t("destinations")} columns={columns} rows={found.data} keyOf={(row) => row.id} />
      )}
      {(opened === "new" || destination !== undefined) && (
        <DestinationDialog
          key={opened}
          {...(destination === undefined ? {} : { destination })}
          onCreated={setCreated}
          onClose={() => onOpen()}
        />
      )}
      {created?.secret != null && (
        <SecretDialog name={created.destination.name} secret={created.secret} onClose={() => setCreated(undefined)} />
      )}
    </Card>
  );
}

function useColumns(open: (id: string) => void, test: (destination: Destination) => void, isTesting: boolean): Column<Destination>[] {
  const { t } = useTranslation("alerts");
  const mayWrite = useMay("alerts:write");
  return [
    {
      key: "name",
      title: t("name"),
      cell: (row) => (
        <button type="button" className="text-left font-medium underline underline-offset-3" onClick={() => open(row.id)}>
          {row.name}
        </button>
      ),
    },
    { key: "kind", title: t("kind"), cell: (row) => t(`kinds.${row.kind}`) },
    {
      key: "address",
      title: t("address"),
      isExtra: true,
      cell: (row) => <span className="break-all">{row.address}</span>,
    },
    {
      key: "state",
      title: t("state"),
      isExtra: true,
      cell: (row) => <Badge tone={row.enabled ? "good" : "plain"}>{t(row.enabled ? "enabled" : "disabled")}</Badge>,
    },
    {
      key: "menu",
      title: "",
      align: "right",
      cell: (row) =>
        mayWrite && (
          <div className="flex items-center justify-end gap-1">
            <Button isSmall icon={<Send size={14} aria-hidden />} isBusy={isTesting} aria-label={`${t("test")}: ${row.name}`} onClick={() => test(row)}>
              {t("test")}
            </Button>
            <DestinationMenu destination={row} onEdit={() => open(row.id)} />
          </div>
        ),
    },
  ];
}

function DestinationMenu({ destination, onEdit }: { destination: Destination; onEdit: () => void }) {
  const { t } = useTranslation(["alerts", "app"]);
  const queries = useQueryClient();
  const [asks, setAsks] = useState(false);
  const renew = () => void queries.invalidateQueries({ queryKey: ["alerts"] });
  const { id, revision, enabled, name } = destination;
  const switching = useMutation({ mutationFn: () => updateDestination(id, revision, { enabled: !enabled }), onSettled: renew });
  const deleting = useMutation({
    mutationFn: () => deleteDestination(destination),
    onSuccess: () => tell(t("deleted", { name })),
    onSettled: () => {
      setAsks(false);
      renew();
    },
  });
  if (destination.managedBy === "FILE") return <span className="text-[12.5px] text-soft">{t("byFile")}</span>;
  const items = [
    { label: t("app:edit"), icon: <Pencil size={SIZE} aria-hidden />, run: onEdit },
    { label: t(enabled ? "disable" : "enable"), icon: <Power size={SIZE} aria-hidden />, run: () => switching.mutate() },
    { label: t("app:delete"), icon: <Trash2 size={SIZE} aria-hidden />, isDanger: true, run: () => setAsks(true) },
  ];
  return (
    <>
      <Menu label={`${t("app:actions")}: ${name}`} items={items} />
      {asks && (
        <Confirm
          title={t("deleteTitle", { name })}
          action={t("app:delete")}
          isBusy={deleting.isPending}
          onClose={() => setAsks(false)}
          onConfirm={() => deleting.mutate()}
        >
          {t("deleteDestinationText")}
        </Confirm>
      )}
    </>
  );
}
