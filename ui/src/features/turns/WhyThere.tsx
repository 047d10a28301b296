/** Why a turn went to its channel: asked for when it is wanted, as of then or as it is configured now. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { routeOfTurnQuery } from "@/api/models";
import { Button } from "@/shared/Button";
import { RouteSteps } from "@/shared/RouteSteps";
import { Failure, Skeleton } from "@/shared/states";

export function WhyThere({ id }: { id: string }) {
  const { t } = useTranslation();
  const mayRead = useMay("channels:read");
  const [isOpen, setOpen] = useState(false);
  const found = useQuery({ ...routeOfTurnQuery(id), enabled: isOpen && mayRead });
  if (!mayRead) return null;
  return (
    <section aria-label={t("route.title")} className="space-y-2">
      <h3 className="font-semibold">{t("route.title")}</h3>
      {!isOpen && (
        <Button isSmall onClick={() => setOpen(true)}>
          {t("route.show")}
        </Button>
      )}
      {isOpen && found.isPending && <Skeleton className="h-16 w-full" />}
      {found.isError && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      {found.data !== undefined && (
        <>
          <p className="text-[13px] text-soft">{t(found.data.isAsOfThen ? "route.asOfThen" : "route.asOfNow")}</p>
          <RouteSteps route={found.data} />
        </>
      )}
    </section>
  );
}
