/** A sign-in that has ended is begun again over the page as it stands: nothing typed is lost. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { onSignInEnded } from "@/api/client";
import { hangUp } from "@/api/live";
import { meQuery, signInOptionsQuery } from "@/api/me";
import { ApiError } from "@/api/errors";
import { Dialog } from "@/shared/Dialog";
import { SignInForm } from "@/features/signin/SignInForm";
import { SingleSignOn } from "@/features/signin/SingleSignOn";

interface Waiting {
  promise: Promise<void>;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** `place` is the address of the page that is open. */
export function SignInAgain({ place }: { place: () => string }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const waiting = useRef<Waiting | undefined>(undefined);
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    onSignInEnded(() => {
      waiting.current ??= Promise.withResolvers();
      setOpen(true);
      return waiting.current.promise;
    });
    return () => onSignInEnded(undefined);
  }, []);
  const provider = useQuery({ ...signInOptionsQuery, enabled: isOpen }).data?.singleSignOn ?? null;
  if (!isOpen) return null;
  const settle = (act: (held: Waiting) => void) => {
    setOpen(false);
    const held = waiting.current;
    waiting.current = undefined;
    if (held !== undefined) act(held);
  };
  const user = queries.getQueryData(meQuery.queryKey)?.me?.user;
  return (
    <Dialog
      title={t("signedOut.title")}
      onClose={() => settle((held) => held.reject(new ApiError("UNAUTHENTICATED", t("signedOut.title"))))}
    >
      <p className="mb-4 text-soft">{t("signedOut.text")}</p>
      {provider !== null && <SingleSignOn label={provider.label} to={place()} problem={undefined} />}
      {user?.hasPassword !== false && (
        <SignInForm
          email={user?.email ?? ""}
          onDone={() => {
            hangUp();
            settle((held) => held.resolve());
          }}
        />
      )}
    </Dialog>
  );
}
