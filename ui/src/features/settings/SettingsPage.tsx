import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { versionQuery } from "@/api/me";
import { Mono } from "@/shared/Badge";
import { CopyButton } from "@/shared/Copy";
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
          </>
        )}
        <AccountCard />
        <LooksCard />
        <VersionCard />
      </div>
    </Page>
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
