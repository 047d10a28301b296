/** Coming in for the first time: by the token of the first start, or by an invitation. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { join, meQuery } from "@/api/me";
import { Button } from "@/shared/Button";
import { useDraft } from "@/shared/draft";
import { TextField } from "@/shared/Field";
import { problemOf } from "@/shared/problems";
import { Failure } from "@/shared/states";
import { Door } from "./Door";

const EMPTY = { email: "", name: "" };

export function SetupPage() {
  const { t } = useTranslation("signin");
  return (
    <Door
      title={t("setup.title")}
      lead={
        <>
          {t("setup.lead")} <code className="font-mono text-[12.5px]">longwire serve</code>
        </>
      }
    >
      <JoinForm kind="setup" next="/start" />
    </Door>
  );
}

export function JoinPage() {
  const { t } = useTranslation("signin");
  return (
    <Door title={t("join.title")} lead={t("join.lead")}>
      <JoinForm kind="join" next="/" />
    </Door>
  );
}

/** The token comes behind the `#` of a link, where no server logs it. */
function JoinForm({ kind, next }: { kind: "setup" | "join"; next: string }) {
  const { t } = useTranslation("signin");
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [token, setToken] = useState(tokenOfAddress);
  useEffect(() => {
    const read = () => setToken((before) => tokenOfAddress() || before);
    addEventListener("hashchange", read);
    return () => removeEventListener("hashchange", read);
  }, []);
  const [password, setPassword] = useState("");
  const draft = useDraft(`join-${kind}`, EMPTY);
  const joining = useMutation({
    mutationFn: () => join({ token: token.trim(), password, ...draft.value }),
    meta: { isTold: true },
    onSuccess: () => {
      draft.discard(EMPTY);
      queries.removeQueries({ queryKey: meQuery.queryKey });
      void navigate({ to: next });
    },
  });
  const problem = (field: string) => problemOf(joining.error, field);
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        joining.mutate();
      }}
    >
      <TextField
        label={t("token")}
        hint={t(`${kind}.token`)}
        required
        isMono
        problem={problem("token")}
        value={token}
        onChange={(event) => setToken(event.target.value)}
      />
      <TextField
        label={t("email")}
        type="email"
        autoComplete="username"
        required
        problem={problem("email")}
        value={draft.value.email}
        onChange={(event) => draft.change({ email: event.target.value })}
      />
      <TextField
        label={t("name")}
        autoComplete="name"
        value={draft.value.name}
        onChange={(event) => draft.change({ name: event.target.value })}
      />
      <TextField
        label={t("password")}
        hint={t("passwordHint")}
        type="password"
        autoComplete="new-password"
        required
        minLength={10}
        problem={problem("password")}
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
      {joining.error !== null && <Failure error={joining.error} />}
      <Button type="submit" look="main" className="w-full" isBusy={joining.isPending}>
        {t(`${kind}.submit`)}
      </Button>
    </form>
  );
}

/** Taken out of the address at once, so that it stays in no history. */
function tokenOfAddress(): string {
  const token = decodeURIComponent(location.hash.slice(1));
  if (token !== "") history.replaceState(history.state, "", location.pathname);
  return token;
}
