import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Pencil, Plus, Power, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { Badge } from "@/shared/Badge";
import { Button } from "@/shared/Button";
import { Confirm } from "@/shared/Dialog";
import { duration } from "@/shared/format";
import { Menu } from "@/shared/Menu";
import { Card } from "@/shared/Page";
import { Empty, Failure, SkeletonRows } from "@/shared/states";
import { type Column, Table } from "@/shared/Table";
import { tell } from "@/shared/toasts";
import { deleteRule, destinationsQuery, type Kind, type Rule, rulesQuery, updateRule } from "./api";
import { kindOf, thresholdText } from "./draft";
import { RuleDialog } from "./RuleDialog";

const SIZE = 15;

interface Opening {
  opened: string | undefined;
  onOpen: (id?: string) => void;
}

/** What is watched; `opened` is the id of a rule, or `new`. */
export function Rules({ opened, onOpen }: Opening) {
  const { t } = useTranslation("alerts");
  const mayWrite = useMay("alerts:write");
  const found = useQuery(rulesQuery);
  const columns = useColumns(found.data?.alertKinds ?? [], onOpen);
  const rule = found.data?.alertRules.find((each) => each.id === opened);
  const add = mayWrite && (
    <Button isSmall icon={<Plus size={14} aria-hidden />} onClick={() => onOpen("new")}>
      {t("createRule")}
    </Button>
  );
  return (
    <Card title={t("rules")} aside={add}>
      {found.isError && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      {found.data === undefined ? (
        !found.isError && <SkeletonRows />
      ) : found.data.alertRules.length === 0 ? (
        <Empty title={t("noRules")}>{t("noRulesText")}</Empty>
      ) : (
        <Table label={t("rules")} columns={columns} rows={found.data.alertRules} keyOf={(row) => row.id} />
      )}
      {found.data !== undefined && (opened === "new" || rule !== undefined) && (
        <RuleDialog
          key={opened}
          kinds={found.data.alertKinds}
          {...(rule === undefined ? {} : { rule })}
          onClose={() => onOpen()}
        />
      )}
    </Card>
  );
}

function useColumns(kinds: readonly Kind[], open: (id: string) => void): Column<Rule>[] {
  const { t } = useTranslation("alerts");
  const destinations = useQuery(destinationsQuery).data;
  const nameOf = (id: string) => destinations?.find((each) => each.id === id)?.name ?? id;
  return [
    {
      key: "name",
      title: t("name"),
      cell: (row) => (
        <div className="min-w-32">
          <button type="button" className="text-left font-medium underline underline-offset-3" onClick={() => open(row.id)}>
            {row.name}
          </button>
          <p className="text-[12.5px] text-soft">{conditionOf(row, kindOf(kinds, row.watched), t)}</p>
        </div>
      ),
    },
    {
      key: "state",
      title: t("state"),
      cell: (row) => <Badge tone={row.enabled ? "good" : "plain"}>{t(row.enabled ? "enabled" : "disabled")}</Badge>,
    },
    {
      key: "lasts",
      title: t("lastsFor"),
      isExtra: true,
      cell: (row) => (row.lasts === 0 ? t("atOnce") : duration(row.lasts)),
    },
    {
      key: "informs",
      title: t("informs"),
      isExtra: true,
      cell: (row) => (row.destinations.length === 0 ? t("all") : row.destinations.map(nameOf).join(", ")),
    },
    { key: "menu", title: "", align: "right", cell: (row) => <RuleMenu rule={row} onEdit={() => open(row.id)} /> },
  ];
}

function conditionOf(rule: Rule, kind: Kind | undefined, t: ReturnType<typeof useTranslation<"alerts">>["t"]): string {
  const watched = t(`watched.${rule.watched}`);
  if (kind === undefined || kind.unit === "STATE") return watched;
  const figure = `${thresholdText(rule.threshold, kind)}${kind.unit === "SHARE" ? " %" : ""}`;
  return `${watched} ${kind.falls ? "≤" : "≥"} ${figure}`;
}

function RuleMenu({ rule, onEdit }: { rule: Rule; onEdit: () => void }) {
  const { t } = useTranslation(["alerts", "app"]);
  const mayWrite = useMay("alerts:write");
  const queries = useQueryClient();
  const [asks, setAsks] = useState(false);
  const renew = () => void queries.invalidateQueries({ queryKey: ["alerts"] });
  const switching = useMutation({
    mutationFn: () => updateRule(rule.id, rule.revision, { enabled: !rule.enabled }),
    onSettled: renew,
  });
  const deleting = useMutation({
    mutationFn: () => deleteRule(rule),
    onSuccess: () => tell(t("deleted", { name: rule.name })),
    onSettled: () => {
      setAsks(false);
      renew();
    },
  });
  if (!mayWrite) return null;
  if (rule.managedBy === "FILE") return <span className="text-[12.5px] text-soft">{t("byFile")}</span>;
  const items = [
    { label: t("app:edit"), icon: <Pencil size={SIZE} aria-hidden />, run: onEdit },
    { label: t(rule.enabled ? "disable" : "enable"), icon: <Power size={SIZE} aria-hidden />, run: () => switching.mutate() },
    { label: t("app:delete"), icon: <Trash2 size={SIZE} aria-hidden />, isDanger: true, run: () => setAsks(true) },
  ];
  return (
    <>
      <Menu label={`${t("app:actions")}: ${rule.name}`} items={items} />
      {asks && (
        <Confirm
          title={t("deleteTitle", { name: rule.name })}
          action={t("app:delete")}
          isBusy={deleting.isPending}
          onClose={() => setAsks(false)}
          onConfirm={() => deleting.mutate()}
        >
          {t("deleteRuleText")}
        </Confirm>
      )}
    </>
  );
}
