import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ask } from "@/api/client";
import { graphql } from "@/api/graphql";
import { Button } from "@/shared/Button";
import { Dialog } from "@/shared/Dialog";
import { TextField } from "@/shared/Field";
import { problemOf } from "@/shared/problems";
import { Failure } from "@/shared/states";
import { tell } from "@/shared/toasts";

const CHANGE = graphql(`
  mutation ChangePassword($current: String!, $new: String!) {
    changePassword(current: $current, new: $new)
  }
`);

export function ChangePassword({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("signin");
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const changing = useMutation({
    mutationFn: () => ask(CHANGE, { current, new: next }),
    meta: { isTold: true },
    onSuccess: () => {
      tell(t("changed"));
      onClose();
    },
  });
  return (
    <Dialog title={t("change")} onClose={onClose}>
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          changing.mutate();
        }}
      >
        <TextField
          label={t("current")}
          type="password"
          autoComplete="current-password"
          required
          value={current}
          problem={problemOf(changing.error, "current")}
          onChange={(event) => setCurrent(event.target.value)}
        />
        <TextField
          label={t("new")}
          hint={t("passwordHint")}
          type="password"
          autoComplete="new-password"
          required
          minLength={10}
          value={next}
          problem={problemOf(changing.error, "new") ?? problemOf(changing.error, "password")}
          onChange={(event) => setNext(event.target.value)}
        />
        {changing.error !== null && <Failure error={changing.error} />}
        <Button type="submit" look="main" isBusy={changing.isPending}>
          {t("change")}
        </Button>
      </form>
    </Dialog>
  );
}
