import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useMe } from "@/api/me";
import { Badge } from "@/shared/Badge";
import { useFormat } from "@/shared/format";
import type { Column } from "@/shared/Table";
import { projectsQuery } from "@/features/projects/api";
import type { User } from "./api";
import { mayChange } from "./draft";
import { UserMenu } from "./UserMenu";

export function useColumns(open: (user: User) => void): Column<User>[] {
  const { t } = useTranslation(["users", "app"]);
  const format = useFormat();
  const me = useMe();
  return [
    {
      key: "email",
      title: t("email"),
      cell: (row) => (
        <div className="min-w-36">
          {mayChange(row, me.permissions) ? (
            <button type="button" className="text-left font-medium underline underline-offset-3" onClick={() => open(row)}>
              {row.email}
            </button>
          ) : (
            <span className="font-medium">{row.email}</span>
          )}
          <div className="text-[12.5px] text-soft">
            {[row.name, row.id === me.user.id ? t("you") : "", row.identities.length > 0 ? t("bySingleSignOn") : ""].filter(Boolean).join(" · ")}
            <div className="md:hidden">{t(`app:roles.${row.role}`)}</div>
          </div>
        </div>
      ),
    },
    { key: "role", title: t("role"), isExtra: true, cell: (row) => t(`app:roles.${row.role}`) },
    {
      key: "status",
      title: t("status"),
      cell: (row) => <Badge tone={row.status === "ACTIVE" ? "good" : "plain"}>{t(`statuses.${row.status}`)}</Badge>,
    },
    { key: "projects", title: t("sees"), isExtra: true, cell: (row) => <Sees user={row} /> },
    {
      key: "signedIn",
      title: t("lastSignIn"),
      isExtra: true,
      cell: (row) =>
        row.lastSignInAt === null ? (
          <span className="text-soft">{t("never")}</span>
        ) : (
          <span title={format.dateTime(row.lastSignInAt)}>{format.ago(row.lastSignInAt)}</span>
        ),
    },
    { key: "menu", title: "", align: "right", cell: (row) => <UserMenu user={row} onEdit={() => open(row)} /> },
  ];
}

/** Which projects somebody sees: a viewer those they belong to, everybody else all. */
function Sees({ user }: { user: User }) {
  const { t } = useTranslation("users");
  const projects = useQuery(projectsQuery).data;
  if (user.role !== "VIEWER" && user.role !== "MEMBER") return <span className="text-soft">{t("seesAll")}</span>;
  if (projects === undefined) return null;
  const own = projects.filter((each) => each.memberIDs.includes(user.id));
  if (own.length === 0) {
    return (
      <Link to="/projects" search={{}} className="underline">
        {t("seesNone")}
      </Link>
    );
  }
  return (
    <span className="flex flex-wrap gap-x-2">
      {own.map((each) => (
        <Link key={each.id} to="/projects" search={{ project: each.id }} className="underline">
          {each.name}
        </Link>
      ))}
    </span>
  );
}
