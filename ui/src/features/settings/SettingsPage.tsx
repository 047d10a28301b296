import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { versionQuery } from "@/api/me";
import { Badge, Mono } from "@/shared/Badge";
import { CopyButton, Snippet } from "@/shared/Copy";
import { Card, Page } from "@/shared/Page";
import { Failure, SkeletonRows } from "@/shared/states";
import { settingsQuery } from "./api";
import { FileCard } from "./FileCard";
import { Retention } from "./Retention";
import { AccountCard, LooksCard } from "./Yourself";

export function SettingsPage() {
  const { t } = useTranslation("settings");
  const found = useQuery(settingsQuery);
  return (
    <Page title={t("title")} lead={t("lead")}>
      {found.isError && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      <div className="grid items-start gap-5 lg:grid-cols-2">
        {found.data === undefined ? (
          !found.isError && (
            <Card>
              <SkeletonRows rows={4} />
            </Card>
          )
        ) : (
          <>
            <Retention settings={found.data} />
            <FileCard file={found.data.file} />
            <BodySearchCard isOn={found.data.indexesBodies} />
          </>
        )}
        <AccountCard />
        <LooksCard />
        <VersionCard />
      </div>
    </Page>
  );
}

/** It is the operator's to decide, in the file: it puts words in clear where else all is sealed. */
function BodySearchCard({ isOn }: { isOn: boolean }) {
  const { t } = useTranslation("settings");
  return (
    <Card title={t("bodySearch.title")}>
      <Badge tone={isOn ? "warn" : "plain"}>{t(isOn ? "bodySearch.on" : "bodySearch.off")}</Badge>
      <p className="mt-2 text-soft">{t("bodySearch.text")}</p>
      <p className="mt-2 text-soft">{t(isOn ? "bodySearch.toOff" : "bodySearch.toOn")}</p>
      <div className="mt-2">
        <Snippet label={t("bodySearch.title")} text={`[bodies]\nindex = ${isOn ? "false" : "true"}`} />
      </div>
    </Card>
  );
}

function VersionCard() {
  const { t } = useTranslation("settings");
  const version = useQuery(versionQuery).data?.version;
  return (
    <Card title={t("version.title")}>
      <div className="flex flex-wrap items-center gap-2">
        <Mono>Longwire {version ?? "…"}</Mono>
        {version !== undefined && <CopyButton text={`Longwire ${version}`} />}
      </div>
      <p className="mt-2 text-soft">{t("version.text")}</p>
    </Card>
  );
}
