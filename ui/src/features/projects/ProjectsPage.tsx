import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { Badge } from "@/shared/Badge";
import { AddButton } from "@/shared/Button";
import { useFormat } from "@/shared/format";
import { ListPage } from "@/shared/Listing";
import { Empty } from "@/shared/states";
import type { Column } from "@/shared/Table";
import { TurnsLink } from "@/shared/TurnsLink";
import { keysQuery } from "@/features/keys/api";
import { type Project, projectsQuery } from "./api";
import { ProjectDialog } from "./ProjectDialog";
import { ProjectMenu } from "./ProjectMenu";

const route = getRouteApi("/shell/projects");

export function ProjectsPage() {
  const { t } = useTranslation("projects");
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const mayWrite = useMay("projects:write");
  const found = useQuery(projectsQuery);
  const rows = found.data;
  const show = (part: Record<string, string>) => void navigate({ search: part });
  const columns = useColumns((project) => show({ project: project.id }));
  const opened = rows?.find((each) => each.id === search["project"]);
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
          {t(mayWrite ? "noneText" : "noneOwn")}
        </Empty>
      }
      below={rows?.length === 1 && mayWrite && <p className="pt-3 text-[13px] text-soft">{t("onlyDefault")}</p>}
    >
      {search["new"] !== undefined && mayWrite && (
        <ProjectDialog onClose={() => show({})} onCreated={(made) => show({ project: made.id })} />
      )}
      {opened !== undefined && mayWrite && <ProjectDialog key={opened.id} project={opened} onClose={() => show({})} />}
    </ListPage>
  );
}

/** How many keys each project has; undefined until that is known. */
function useKeyCounts(): ReadonlyMap<string, number> | undefined {
  const keys = useQuery(keysQuery("")).data?.apiKeys.nodes;
  return useMemo(() => {
    if (keys === undefined) return undefined;
    const counts = new Map<string, number>();
    for (const { projectID } of keys) counts.set(projectID, (counts.get(projectID) ?? 0) + 1);
    return counts;
  }, [keys]);
}

function useColumns(open: (project: Project) => void): Column<Project>[] {
  const { t } = useTranslation("projects");
  const format = useFormat();
  const mayWrite = useMay("projects:write");
  const counts = useKeyCounts();
  const keysOf = (project: Project) => counts && (counts.get(project.id) ?? 0);
  return [
    {
      key: "name",
      title: t("name"),
      cell: (row) => (
        <div className="min-w-32">
          {mayWrite ? (
            <button type="button" className="text-left font-medium underline underline-offset-3" onClick={() => open(row)}>
              {row.name}
            </button>
          ) : (
            <span className="font-medium">{row.name}</span>
          )}
          {row.description !== "" && (
            <div className="line-clamp-2 max-w-xl text-[12.5px] text-soft" title={row.description}>
              {row.description}
            </div>
          )}
        </div>
      ),
    },
    {
      key: "status",
      title: t("status"),
      cell: (row) => <Badge tone={row.status === "ACTIVE" ? "good" : "plain"}>{t(`statuses.${row.status}`)}</Badge>,
    },
    { key: "members", title: t("members"), align: "right", isExtra: true, cell: (row) => row.memberIDs.length },
    {
      key: "keys",
      title: t("keys"),
      align: "right",
      cell: (row) => (
        <Link to="/keys" search={{ project: row.id }} aria-label={t("keysOf", { name: row.name })} className="underline">
          {keysOf(row) ?? "…"}
        </Link>
      ),
    },
    {
      key: "turns",
      title: t("turns"),
      isExtra: true,
      cell: (row) => (
        <TurnsLink search={{ project: row.id }} className="underline">
          {t("toTurns")}
        </TurnsLink>
      ),
    },
    { key: "created", title: t("created"), isExtra: true, cell: (row) => format.date(row.createdAt) },
    {
      key: "menu",
      title: "",
      align: "right",
      cell: (row) => <ProjectMenu project={row} keys={keysOf(row)} onEdit={() => open(row)} />,
    },
  ];
}
