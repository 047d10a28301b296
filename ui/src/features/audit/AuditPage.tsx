import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Badge, Mono, type Tone } from "@/shared/Badge";
import { Choice } from "@/shared/Field";
import { useFormat } from "@/shared/format";
import { More } from "@/shared/Listing";
import { Card, Page } from "@/shared/Page";
import { Empty, Failure, SkeletonRows } from "@/shared/states";
import { auditQuery, type Entry } from "./api";
import { daysOf, endedOf, NOUNS, type Shows } from "./changes";
import { Changes, useShows } from "./Changes";
import { NounLink } from "./NounLink";

const route = getRouteApi("/shell/audit");
const TONES: Record<string, Tone> = { create: "good", delete: "bad", revoke: "bad" };

export function AuditPage() {
  const { t } = useTranslation(["audit", "app"]);
  const navigate = route.useNavigate();
  const noun = route.useSearch()["noun"] ?? "";
  const found = useInfiniteQuery(auditQuery(noun));
  const entries = useMemo(() => found.data?.pages.flatMap((page) => page.nodes), [found.data]);
  return (
    <Page title={t("title")} lead={t("lead")}>
      {found.isError && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      <Choice
        label={t("kind")}
        value={noun}
        options={(["", ...NOUNS] as const).map((each) => ({ value: each, label: each === "" ? t("app:all") : t(`kinds.${each}`) }))}
        onChange={(wanted) => void navigate({ search: wanted === "" ? {} : { noun: wanted }, replace: true })}
      />
      <Card>
        {entries === undefined ? (
          !found.isError && <SkeletonRows />
        ) : entries.length === 0 ? (
          <Empty title={t(noun === "" ? "none" : "noneFound")}>{t("noneText")}</Empty>
        ) : (
          <Days entries={entries} />
        )}
        <More found={found} label={t("older")} />
        {entries !== undefined && entries.length > 0 && !found.hasNextPage && (
          <p className="pt-4 text-center text-[13px] text-soft">{t("end")}</p>
        )}
      </Card>
    </Page>
  );
}

function Days({ entries }: { entries: readonly Entry[] }) {
  const format = useFormat();
  const shows = useShows();
  const ended = useMemo(() => endedOf(entries), [entries]);
  return (
    <div className="space-y-6">
      {daysOf(entries).map(({ day, entries: own }) => (
        <section key={day}>
          <h2 className="mb-1 text-[13px] font-medium text-soft">{format.date(own[0]?.at)}</h2>
          <ol>
            {own.map((entry) => (
              <Row key={entry.id} entry={entry} shows={shows} ended={ended} />
            ))}
          </ol>
        </section>
      ))}
    </div>
  );
}

function Row({ entry, shows, ended }: { entry: Entry; shows: Shows; ended: ReadonlySet<string> }) {
  const { t } = useTranslation("audit");
  const format = useFormat();
  return (
    <li
      data-testid="entry"
      className="grid gap-x-4 border-b border-line py-3 last:border-0 sm:grid-cols-[5rem_minmax(0,1fr)]"
      // Rows out of sight cost nothing, however many were loaded.
      style={{ contentVisibility: "auto", containIntrinsicSize: "auto 5rem" }}
    >
      <time dateTime={entry.at} title={format.dateTime(entry.at)} className="text-[13px] text-soft">
        {format.time(entry.at)}
      </time>
      <div className="min-w-0">
        <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <Badge tone={TONES[entry.action] ?? "plain"}>{t(`actions.${entry.action}`, { defaultValue: entry.action })}</Badge>
          <span className="text-soft">{t(`kind1.${entry.noun}`, { defaultValue: entry.noun })}</span>
          <NounLink entry={entry} isEnded={ended.has(entry.nounID) || entry.action === "revoke"} shows={shows} />
        </p>
        <Changes told={entry.changes} shows={shows} />
        <p className="mt-1 text-[12.5px] text-soft">
          {t("by")} <Actor entry={entry} isEnded={ended.has(entry.actorID)} />
          {entry.address !== "" && (
            <>
              {" · "}
              <Mono>{entry.address}</Mono>
            </>
          )}
        </p>
      </div>
    </li>
  );
}

/** Who it was: the command line acts without an id. */
function Actor({ entry, isEnded }: { entry: Entry; isEnded: boolean }) {
  const { t } = useTranslation("audit");
  if (entry.actorID === "") return <span>{entry.actorName === "command line" ? t("commandLine") : entry.actorName}</span>;
  if (isEnded) return <span>{entry.actorName}</span>;
  return (
    <Link to="/users" search={{ user: entry.actorID }} className="underline">
      {entry.actorName}
    </Link>
  );
}
