import { useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { meQuery } from "@/api/me";
import { Door } from "./Door";
import { SignInForm } from "./SignInForm";

const route = getRouteApi("/sign-in");

export function SignInPage() {
  const { t } = useTranslation("signin");
  const { to } = route.useSearch();
  const router = useRouter();
  const queries = useQueryClient();
  return (
    <Door title={t("title")} lead={t("lead")}>
      <SignInForm
        onDone={() => {
          queries.removeQueries({ queryKey: meQuery.queryKey });
          // Only a place of our own: an address that begins with one slash.
          const place = to !== undefined && /^\/(?![/\\])/.test(to) ? to : "/";
          router.history.push(router.history.createHref(place));
        }}
      />
    </Door>
  );
}
