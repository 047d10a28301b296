import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { useNames } from "@/api/names";
import { Badge, Mono, type Tone } from "@/shared/Badge";
import { AddButton } from "@/shared/Button";
import { useMinute, useSettled } from "@/shared/clock";
import { useFormat } from "@/shared/format";
import { ListPage } from "@/shared/Listing";
import { optionsOf } from "@/shared/Field";
import { Picker } from "@/shared/Picker";
import { Empty } from "@/shared/states";
import type { Column } from "@/shared/Table";
import { TurnsLink } from "@/shared/TurnsLink";
import { type Issued, type Key, keysQuery, type Spent, spentQuery } from "./api";
import { BudgetBars } from "./BudgetBars";
import { IssuedDialog } from "./IssuedDialog";
import { KeyDialog } from "./KeyDialog";
import { KeyMenu } from "./KeyMenu";

const route = getRouteApi("/shell/keys");
const TONES: Record<Key["status"], Tone> = { ENABLED: "good", DISABLED: "plain", REVOKED: "bad" };

export function KeysPage() {
  const { t } = useTranslation("keys");
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const mayWrite = useMay("keys:own");
  const [text, setText] = useState("");
  const [issued, setIssued] = useState<Issued>();
  const found = useQuery(keysQuery(useSettled(text)));
  const spent = useQuery(spentQuery(useMinute()));
  const project = search["project"];
  const person = search["user"];
  const rows = found.data?.apiKeys.nodes.filter((each) => (project === undefined || each.projectID === project) && (person === undefined || each.userID === person));
  const isChosen = text !== "" || project !== undefined || person !== undefined;
  const show = (part: Record<string, string>) =>
    void navigate({ search: { ...(project === undefined ? {} : { project }), ...(person === undefined ? {} : { user: person }), ...part } });
  const columns = useColumns(spent.data, (key) => show({ key: key.id }), setIssued);
  const opened = rows?.find((each) => each.id === search["key"]);
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
        <Empty title={isChosen ? t("noneFound") : t("none")} action={!isChosen && add}>
          {!isChosen && t("noneText")}
        </Empty>
      }
      aside={
        <div className="flex flex-wrap gap-2">
          <PersonFilter
            keys={found.data?.apiKeys.nodes ?? []}
            chosen={person}
            onChoose={(id) => void navigate({ search: { ...(project === undefined ? {} : { project }), ...(id === "" ? {} : { user: id }) } })}
          />
          <ProjectFilter chosen={project} onChoose={(id) => void navigate({ search: id === "" ? {} : { project: id } })} />
          <input
            type="search"
            aria-label={t("search")}
            placeholder={t("search")}
            className="field !w-56"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </div>
      }
    >
      {search["new"] !== undefined && mayWrite && (
        <KeyDialog
          onClose={() => show({})}
          onIssued={(made) => {
            show({});
            setIssued(made);
          }}
        />
      )}
      {opened !== undefined && <KeyDialog key={opened.id} apiKey={opened} onClose={() => show({})} />}
      {issued !== undefined && <IssuedDialog issued={issued} onClose={() => setIssued(undefined)} />}
    </ListPage>
  );
}

/** Chooses the keys of one project; where there is one alone there is nothing to choose. */
function ProjectFilter({ chosen, onChoose }: { chosen: string | undefined; onChoose: (id: string) => void }) {
  const { t } = useTranslation("keys");
  const { projects } = useNames();
  if (projects.length < 2 && chosen === undefined) return null;
  return <Picker label={t("project")} any={t("allProjects")} value={chosen} options={optionsOf(projects)} onPick={onChoose} />;
}

/** Chooses the keys of one person, of those who have some. */
function PersonFilter({ keys, chosen, onChoose }: { keys: readonly Key[]; chosen: string | undefined; onChoose: (id: string) => void }) {
  const { t } = useTranslation("keys");
  const people = new Map(keys.filter((each) => each.userID !== null).map((each) => [each.userID ?? "", each.userEmail]));
  if (people.size < 2 && chosen === undefined) return null;
  const options = [...people].map(([value, email]) => ({ value, label: email === "" ? value : email }));
  return <Picker label={t("person")} any={t("everybody")} value={chosen} options={options} onPick={onChoose} />;
}

function useColumns(
  spent: ReadonlyMap<string, Spent> | undefined,
  open: (key: Key) => void,
  onIssued: (issued: Issued) => void,
): Column<Key>[] {
  const { t } = useTranslation(["keys", "app"]);
  const format = useFormat();
  const names = useNames();
  return [
    {
      key: "name",
      title: t("name"),
      cell: (row) => (
        <div className="min-w-36">
          <button type="button" className="text-left font-medium underline underline-offset-3" onClick={() => open(row)}>
            {row.name}
          </button>
          <div className="text-[12.5px] text-soft">
            <Mono>{row.prefix}…</Mono>
            {row.managedBy === "FILE" && ` · ${t("app:managedByFile")}`}
          </div>
        </div>
      ),
    },
    { key: "status", title: t("status"), cell: (row) => <Badge tone={TONES[row.status]}>{t(`statuses.${row.status}`)}</Badge> },
    { key: "project", title: t("project"), isExtra: true, cell: (row) => names.project(row.projectID) },
    {
      key: "person",
      title: t("person"),
      isExtra: true,
      cell: (row) => (row.userEmail === "" ? <span className="text-soft">{t("nobody")}</span> : row.userEmail),
    },
    { key: "budgets", title: t("budgets"), cell: (row) => <BudgetBars apiKey={row} spent={spent?.get(row.id)} /> },
    {
      key: "used",
      title: t("lastUsed"),
      isExtra: true,
      cell: (row) =>
        row.lastUsedAt === null ? (
          <span className="text-soft">{t("never")}</span>
        ) : (
          <TurnsLink search={{ key: row.id }} className="underline">
            {format.ago(row.lastUsedAt)}
          </TurnsLink>
        ),
    },
    {
      key: "menu",
      title: "",
      align: "right",
      cell: (row) => <KeyMenu apiKey={row} onEdit={() => open(row)} onIssued={onIssued} />,
    },
  ];
}
