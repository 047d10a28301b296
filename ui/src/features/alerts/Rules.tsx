import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Power } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { Badge } from "@/shared/Badge";
import { AddButton } from "@/shared/Button";
import { duration } from "@/shared/format";
import { ListCard } from "@/shared/Listing";
import { MENU_ICON, RowMenu } from "@/shared/RowMenu";
import { Empty } from "@/shared/states";
import type { Column } from "@/shared/Table";
import { deleteRule, destinationsQuery, type Kind, type Rule, rulesQuery, updateRule } from "./api";
import { kindOf, ruleName, thresholdText } from "./draft";
import { RuleDialog } from "./RuleDialog";

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
    <AddButton isSmall onClick={() => onOpen("new")}>
      {t("createRule")}
    </AddButton>
  );
  return (
    <ListCard
      label={t("rules")}
      aside={add}
      found={found}
      rows={found.data?.alertRules}
      columns={columns}
      empty={<Empty title={t("noRules")}>{t("noRulesText")}</Empty>}
    >
      {found.data !== undefined && (opened === "new" || rule !== undefined) && (
        <RuleDialog
          key={opened}
          kinds={found.data.alertKinds}
          {...(rule === undefined ? {} : { rule })}
          onClose={() => onOpen()}
        />
      )}
    </ListCard>
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
            {ruleName(row.name, t)}
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
  const switching = useMutation({
    mutationFn: () => updateRule(rule.id, rule.revision, { enabled: !rule.enabled }),
    onSettled: () => void queries.invalidateQueries({ queryKey: ["alerts"] }),
  });
  if (!mayWrite) return null;
  if (rule.managedBy === "FILE") return <span className="text-[12.5px] text-soft">{t("app:managedByFile")}</span>;
  const power = { label: t(rule.enabled ? "disable" : "enable"), icon: <Power size={MENU_ICON} aria-hidden />, run: () => switching.mutate() };
  return (
    <RowMenu
      name={ruleName(rule.name, t)}
      onEdit={onEdit}
      others={[power]}
      remove={() => deleteRule(rule)}
      text={t("deleteRuleText")}
      touches="alerts"
    />
  );
}
