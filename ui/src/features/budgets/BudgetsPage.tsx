import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { AddButton } from "@/shared/Button";
import { SelectField } from "@/shared/Field";
import { ListPage } from "@/shared/Listing";
import { Card } from "@/shared/Page";
import { RowMenu } from "@/shared/RowMenu";
import { Empty, Failure } from "@/shared/states";
import type { Column } from "@/shared/Table";
import { tell } from "@/shared/toasts";
import { type Budget, budgetsQuery, deleteBudget, setZone } from "./api";
import { BudgetDialog } from "./BudgetDialog";
import { SpentBar } from "./SpentBar";

const route = getRouteApi("/shell/budgets");

export function BudgetsPage() {
  const { t } = useTranslation("budgets");
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const mayWrite = useMay("budgets:write");
  const found = useQuery(budgetsQuery);
  const show = (part: Record<string, string>) => void navigate({ search: part });
  const columns = useColumns((budget) => show({ budget: budget.id }));
  const rows = found.data?.budgets;
  const opened = rows?.find((each) => each.id === search["budget"]);
  const add = mayWrite && <AddButton onClick={() => show({ new: "1" })}>{t("create")}</AddButton>;
  return (
    <ListPage
      title={t("title")}
      lead={t("lead")}
      all={t("all")}
      add={add}
      found={found}
      rows={rows}
      columns={columns}
      empty={
        <Empty title={t("none")} action={add}>
          {t("noneText")}
        </Empty>
      }
    >
      {found.data !== undefined && <Zone {...found.data.budgetCalendar} mayWrite={mayWrite} />}
      {search["new"] !== undefined && mayWrite && <BudgetDialog onClose={() => show({})} />}
      {opened !== undefined && mayWrite && <BudgetDialog key={opened.id} budget={opened} onClose={() => show({})} />}
    </ListPage>
  );
}

/** Where days, weeks and months begin. */
function Zone({ timeZone, isDeclared, mayWrite }: { timeZone: string; isDeclared: boolean; mayWrite: boolean }) {
  const { t } = useTranslation(["budgets", "app"]);
  const queries = useQueryClient();
  const setting = useMutation({
    mutationFn: setZone,
    onSuccess: () => tell(t("app:saved")),
    onSettled: () => void queries.invalidateQueries({ queryKey: ["budgets"] }),
  });
  const zones = [...new Set(["UTC", timeZone, ...Intl.supportedValuesOf("timeZone")])];
  return (
    <Card title={t("zone")}>
      {setting.isError && <Failure error={setting.error} />}
      <div className="max-w-md">
        <SelectField
          label={t("zoneLabel")}
          hint={isDeclared ? t("app:managedByFile") : t("zoneHint")}
          disabled={!mayWrite || isDeclared || setting.isPending}
          value={timeZone}
          options={zones.map((each) => ({ value: each, label: each }))}
          onChange={(event) => setting.mutate(event.target.value)}
        />
      </div>
    </Card>
  );
}

function useColumns(open: (budget: Budget) => void): Column<Budget>[] {
  const { t } = useTranslation(["budgets", "app"]);
  return [
    {
      key: "whose",
      title: t("whose"),
      cell: (row) => (
        <div className="min-w-20">
          <div className="font-medium [overflow-wrap:anywhere]">{row.subjectName === "" ? t("gone") : row.subjectName}</div>
          <div className="text-[12.5px] text-soft">
            {t(`kinds.${row.kind}`)}
            {row.managedBy === "FILE" && ` · ${t("app:managedByFile")}`}
            {row.isOfKey && (
              <>
                {" · "}
                <Link to="/keys" search={{ key: row.subjectID }} className="underline">
                  {t("ofKey")}
                </Link>
              </>
            )}
          </div>
        </div>
      ),
    },
    {
      key: "spent",
      title: t("spent"),
      cell: (row) => (
        <>
          <SpentBar budget={row} />
          {row.unpricedModels.length > 0 && (
            <p className="mt-1 max-w-sm text-[12.5px] text-warn">⚠ {t("unpriced", { models: row.unpricedModels.join(", ") })}</p>
          )}
        </>
      ),
    },
    { key: "period", title: t("period"), isExtra: true, cell: (row) => t(`periods.${row.period}`) },
    { key: "action", title: t("action"), isExtra: true, cell: (row) => t(`actions.${row.action}`) },
    { key: "menu", title: "", align: "right", cell: (row) => <BudgetMenu budget={row} onEdit={() => open(row)} /> },
  ];
}

function BudgetMenu({ budget, onEdit }: { budget: Budget; onEdit: () => void }) {
  const { t } = useTranslation("budgets");
  const mayWrite = useMay("budgets:write");
  if (!mayWrite || budget.managedBy === "FILE" || budget.isOfKey) return null;
  const name = budget.subjectName;
  return (
    <RowMenu
      name={name}
      onEdit={onEdit}
      remove={() => deleteBudget(budget)}
      title={t("deleteTitle", { name })}
      text={t("deleteText")}
      touches="budgets"
    />
  );
}
