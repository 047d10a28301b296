/** The way in by a provider: the browser goes there, and comes back signed in, or with a problem. */
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { ApiError } from "@/api/errors";
import { beginSingleSignOn } from "@/api/me";
import { Button } from "@/shared/Button";
import { Failure } from "@/shared/states";

const PROBLEMS = [
  "provider_away",
  "provider_refused",
  "begin_again",
  "bad_token",
  "no_email",
  "email_unverified",
  "other_domain",
  "no_group",
  "no_user",
  "email_taken",
  "disabled",
  "no_owner_yet",
  "too_many",
] as const;

interface Props {
  label: string;
  to: string;
  problem: string | undefined;
}

export function SingleSignOn({ label, to, problem }: Props) {
  const { t } = useTranslation("signin");
  const leaving = useMutation({
    mutationFn: () => beginSingleSignOn(to),
    meta: { isTold: true },
    onSuccess: ({ url }) => {
      if (url !== null) location.assign(url);
    },
  });
  const code = (leaving.data?.problem ?? problem)?.toLowerCase();
  const known = PROBLEMS.find((each) => each === code);
  return (
    <div className="mb-5 space-y-4 border-b border-line pb-5">
      {known !== undefined && !leaving.isPending && <Failure error={new ApiError("REFUSED", t(`problems.${known}`))} />}
      {leaving.error !== null && <Failure error={leaving.error} />}
      <Button look="main" className="w-full" isBusy={leaving.isPending} onClick={() => leaving.mutate()}>
        {label}
      </Button>
    </div>
  );
}
