import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Power, Send } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { Badge } from "@/shared/Badge";
import { AddButton, Button } from "@/shared/Button";
import { Listing } from "@/shared/Listing";
import { Notice } from "@/shared/Notice";
import { Card } from "@/shared/Page";
import { MENU_ICON, RowMenu } from "@/shared/RowMenu";
import { Empty, Failure } from "@/shared/states";
import type { Column } from "@/shared/Table";
import { type Created, deleteDestination, type Destination, destinationsQuery, testDestination, updateDestination } from "./api";
import { DestinationDialog } from "./DestinationDialog";
import { SecretDialog } from "./SecretDialog";

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
    <AddButton isSmall onClick={() => onOpen("new")}>
      {t("createDestination")}
    </AddButton>
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
      <Listing
        label={t("destinations")}
        found={found}
        rows={found.data}
        columns={columns}
        skeletons={2}
        empty={
          <Empty title={t("noDestinations")} action={add}>
            {t("noDestinationsText")}
          </Empty>
        }
      />
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
  const { id, revision, enabled, name } = destination;
  const switching = useMutation({
    mutationFn: () => updateDestination(id, revision, { enabled: !enabled }),
    onSettled: () => void queries.invalidateQueries({ queryKey: ["alerts"] }),
  });
  if (destination.managedBy === "FILE") return <span className="text-[12.5px] text-soft">{t("app:managedByFile")}</span>;
  const power = { label: t(enabled ? "disable" : "enable"), icon: <Power size={MENU_ICON} aria-hidden />, run: () => switching.mutate() };
  return (
    <RowMenu
      name={name}
      onEdit={onEdit}
      others={[power]}
      remove={() => deleteDestination(destination)}
      text={t("deleteDestinationText")}
      touches="alerts"
    />
  );
}
