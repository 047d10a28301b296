/** What stands where a page failed, is not there, or is still on its way. */
import { Link, useRouter } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Failure, SkeletonRows } from "@/shared/states";

export function Broken({ error }: { error: unknown }) {
  const router = useRouter();
  return (
    <div className="mx-auto max-w-2xl p-6">
      <Failure error={error} onRetry={() => void router.invalidate()} />
    </div>
  );
}

export function NotFound() {
  const { t } = useTranslation();
  return (
    <div className="mx-auto max-w-2xl space-y-3 p-10 text-center">
      <h1 className="text-xl font-semibold">{t("notFound.title")}</h1>
      <p className="text-soft">{t("notFound.text")}</p>
      <Link to="/" className="text-accent underline">
        {t("notFound.home")}
      </Link>
    </div>
  );
}

export function Waiting() {
  return (
    <div className="mx-auto w-full max-w-[88rem] px-7 py-6">
      <SkeletonRows />
    </div>
  );
}
