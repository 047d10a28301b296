import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { meQuery, signInOptionsQuery } from "@/api/me";
import { Door } from "./Door";
import { SignInForm } from "./SignInForm";
import { SingleSignOn } from "./SingleSignOn";

const route = getRouteApi("/sign-in");

export function SignInPage() {
  const { t } = useTranslation("signin");
  const { to, problem } = route.useSearch();
  const router = useRouter();
  const queries = useQueryClient();
  const options = useQuery(signInOptionsQuery).data;
  // Only a place of our own: an address that begins with one slash.
  const place = to !== undefined && /^\/(?![/\\])/.test(to) ? to : "/";
  const form = (
    <SignInForm
      onDone={() => {
        queries.removeQueries({ queryKey: meQuery.queryKey });
        router.history.push(router.history.createHref(place));
      }}
    />
  );
  const provider = options?.singleSignOn ?? null;
  return (
    <Door title={t("title")} lead={t("lead")}>
      {provider !== null && <SingleSignOn label={provider.label} to={place} problem={problem} />}
      {provider !== null && options?.password === false ? (
        <details className="mt-5">
          <summary className="cursor-pointer text-soft">{t("forOwners")}</summary>
          <div className="pt-4">{form}</div>
        </details>
      ) : (
        form
      )}
    </Door>
  );
}
