import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { Badge } from "@/shared/Badge";
import { Button } from "@/shared/Button";
import { useFormat } from "@/shared/format";
import { Card, Page } from "@/shared/Page";
import { Empty, Failure, SkeletonRows } from "@/shared/states";
import { Table } from "@/shared/Table";
import { TurnsLink } from "@/shared/TurnsLink";
import { type Project, projectsQuery } from "./api";
import { ProjectDialog } from "./ProjectDialog";

export function ProjectsPage() {
  const { t } = useTranslation("projects");
  const format = useFormat();
  const mayWrite = useMay("projects:write");
  const found = useQuery(projectsQuery);
  const [opened, setOpened] = useState<Project | "new">();
  const rows = found.data?.projects.nodes;
  const add = (
    <Button look="main" icon={<Plus size={16} aria-hidden />} onClick={() => setOpened("new")}>
      {t("create")}
    </Button>
  );
  return (
    <Page title={t("title")} lead={t("lead")} actions={mayWrite && add}>
      {found.isError && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      <Card>
        {rows === undefined ? (
          <SkeletonRows />
        ) : rows.length === 0 ? (
          <Empty title={t("none")}>{t("noneText")}</Empty>
        ) : (
          <Table
            label={t("title")}
            rows={rows}
            keyOf={(row) => row.id}
            columns={[
              {
                key: "name",
                title: t("name"),
                cell: (row) => (
                  <button
                    type="button"
                    className="text-left font-medium underline underline-offset-3"
                    onClick={() => setOpened(row)}
                  >
                    {row.name}
                  </button>
                ),
              },
              { key: "description", title: t("description"), isExtra: true, cell: (row) => row.description || "–" },
              {
                key: "status",
                title: t("status"),
                cell: (row) => <Badge tone={row.status === "ACTIVE" ? "good" : "plain"}>{t(`statuses.${row.status}`)}</Badge>,
              },
              { key: "members", title: t("members"), align: "right", cell: (row) => row.memberIDs.length },
              { key: "created", title: t("created"), isExtra: true, cell: (row) => format.date(row.createdAt) },
              {
                key: "turns",
                title: "",
                align: "right",
                cell: (row) => (
                  <TurnsLink search={{ project: row.id }} className="underline">
                    {t("turns")}
                  </TurnsLink>
                ),
              },
            ]}
          />
        )}
      </Card>
      {opened !== undefined && (
        <ProjectDialog
          {...(opened === "new" ? {} : { project: rows?.find((each) => each.id === opened.id) ?? opened })}
          onClose={() => setOpened(undefined)}
        />
      )}
    </Page>
  );
}
