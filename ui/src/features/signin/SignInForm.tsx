import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { signIn } from "@/api/me";
import { Button } from "@/shared/Button";
import { TextField } from "@/shared/Field";
import { Failure } from "@/shared/states";
import { ApiError } from "@/api/errors";

/** A wrong password is the one failure that is told in words of its own. */
function told(error: unknown, text: string): unknown {
  return error instanceof ApiError && error.code === "INVALID" ? new ApiError("WRONG", text) : error;
}

export function SignInForm({ email: given = "", onDone }: { email?: string; onDone: () => void }) {
  const { t } = useTranslation("signin");
  const [email, setEmail] = useState(given);
  const [password, setPassword] = useState("");
  const entering = useMutation({
    mutationFn: () => signIn(email, password),
    onSuccess: onDone,
    meta: { isTold: true },
  });
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        entering.mutate();
      }}
    >
      <TextField
        label={t("email")}
        type="email"
        autoComplete="username"
        required
        autoFocus={given === ""}
        value={email}
        onChange={(event) => setEmail(event.target.value)}
      />
      <TextField
        label={t("password")}
        type="password"
        autoComplete="current-password"
        required
        autoFocus={given !== ""}
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
      {entering.error !== null && <Failure error={told(entering.error, t("wrong"))} />}
      <Button type="submit" look="main" className="w-full" isBusy={entering.isPending}>
        {t("enter")}
      </Button>
    </form>
  );
}
