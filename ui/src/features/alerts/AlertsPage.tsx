import { getRouteApi } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Page } from "@/shared/Page";
import { Destinations } from "./Destinations";
import { History } from "./History";
import { Rules } from "./Rules";

const route = getRouteApi("/shell/alerts");

/** What one should know of, what is watched, and who is informed. */
export function AlertsPage() {
  const { t } = useTranslation("alerts");
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const show = (part: Record<string, string>) => void navigate({ search: part });
  return (
    <Page title={t("title")} lead={t("lead")}>
      <History />
      <Rules opened={search["rule"]} onOpen={(rule) => show(rule === undefined ? {} : { rule })} />
      <Destinations
        opened={search["destination"]}
        onOpen={(destination) => show(destination === undefined ? {} : { destination })}
      />
    </Page>
  );
}
