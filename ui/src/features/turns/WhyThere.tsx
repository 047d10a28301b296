/** Why a turn went to its channel: asked for when it is wanted, as of then or as it is configured now. */
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/me";
import { routeOfTurnQuery } from "@/api/models";
import { OnDemand } from "@/shared/OnDemand";
import { RouteSteps } from "@/shared/RouteSteps";

export function WhyThere({ id }: { id: string }) {
  const { t } = useTranslation();
  const mayRead = useMay("channels:read");
  if (!mayRead) return null;
  return (
    <OnDemand title={t("route.title")} act={t("route.show")} query={routeOfTurnQuery(id)}>
      {(route) => (
        <>
          <p className="text-[13px] text-soft">{t(route.isAsOfThen ? "route.asOfThen" : "route.asOfNow")}</p>
          <RouteSteps route={route} />
        </>
      )}
    </OnDemand>
  );
}
