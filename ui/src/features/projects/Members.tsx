import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { UserMinus } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { Button, IconButton } from "@/shared/Button";
import { SelectField } from "@/shared/Field";
import { Failure, Skeleton } from "@/shared/states";
import { tell } from "@/shared/toasts";
import { userNamesQuery } from "@/features/users/api";
import { addMember, type Project, removeMember } from "./api";

interface Change {
  kind: "added" | "removed";
  user: string;
  isUndo?: boolean;
}

/** Who belongs to a project: each change counts at once, and can be undone. */
export function Members({ project }: { project: Project }) {
  const { t } = useTranslation(["projects", "app"]);
  const queries = useQueryClient();
  const mayInvite = useMay("users:write");
  const people = useQuery(userNamesQuery);
  const [chosen, setChosen] = useState("");
  const nameOf = (id: string) => people.data?.find((each) => each.id === id)?.email ?? id;
  const changing = useMutation({
    mutationFn: ({ kind, user }: Change) =>
      kind === "added" ? addMember(project.id, user).then(() => undefined) : removeMember(project.id, user).then(() => undefined),
    onSuccess: (_done, { kind, user, isUndo }) => {
      setChosen("");
      if (isUndo) return;
      const back = kind === "added" ? "removed" : "added";
      tell(t(`told.${kind}`, { name: nameOf(user), project: project.name }), {
        action: { label: t("app:undo"), run: () => changing.mutate({ kind: back, user, isUndo: true }) },
      });
    },
    onSettled: () => void queries.invalidateQueries({ queryKey: ["projects"] }),
  });
  const others = people.data?.filter((each) => !project.memberIDs.includes(each.id)) ?? [];
  return (
    <section className="mt-8 space-y-3 border-t border-line pt-5">
      <h3 className="font-semibold">{t("members")}</h3>
      <p className="text-[13px] text-soft">{t("membersHint")}</p>
      {people.isError && <Failure error={people.error} onRetry={() => void people.refetch()} />}
      {people.isPending && <Skeleton className="h-9 w-full" />}
      {project.memberIDs.length > 0 && people.data !== undefined && (
        <ul className="divide-y divide-line rounded-xl border border-line">
          {project.memberIDs.map((id) => {
            const user = people.data.find((each) => each.id === id);
            return (
              <li key={id} className="flex items-center gap-3 px-3 py-1.5">
                <span className="min-w-0 flex-1">
                  {nameOf(id)}
                  {user !== undefined && <span className="text-[12.5px] text-soft"> · {t(`app:roles.${user.role}`)}</span>}
                </span>
                <IconButton
                  label={t("remove", { name: nameOf(id) })}
                  disabled={changing.isPending}
                  onClick={() => changing.mutate({ kind: "removed", user: id })}
                >
                  <UserMinus size={15} aria-hidden />
                </IconButton>
              </li>
            );
          })}
        </ul>
      )}
      {others.length > 0 ? (
        <form
          className="flex items-end gap-2"
          onSubmit={(event) => {
            event.preventDefault();
            if (chosen !== "") changing.mutate({ kind: "added", user: chosen });
          }}
        >
          <div className="min-w-0 flex-1">
            <SelectField
              label={t("addMember")}
              value={chosen}
              options={[
                { value: "", label: t("choose") },
                ...others.map((each) => ({ value: each.id, label: `${each.email} · ${t(`app:roles.${each.role}`)}` })),
              ]}
              onChange={(event) => setChosen(event.target.value)}
            />
          </div>
          <Button type="submit" disabled={chosen === ""} isBusy={changing.isPending}>
            {t("add")}
          </Button>
        </form>
      ) : (
        people.data !== undefined && <p className="text-soft">{t("allMembers")}</p>
      )}
      {mayInvite && (
        <Link to="/users" search={{ new: "invitation" }} className="inline-block text-[13px] underline">
          {t("inviteInstead")}
        </Link>
      )}
    </section>
  );
}
