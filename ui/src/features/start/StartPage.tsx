/** The first steps: a channel that is tried, a key, a client, a turn that is seen to continue. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { listModels } from "@/api/dataPlane";
import { graphql } from "@/api/graphql";
import { useSubscription } from "@/api/live";
import { useNames } from "@/api/names";
import { useSettled } from "@/shared/clock";
import { Card, Page } from "@/shared/Page";
import { SkeletonRows } from "@/shared/states";
import { ChannelStep } from "./ChannelStep";
import { ClientStep } from "./ClientStep";
import { KeyStep } from "./KeyStep";
import { favourite, isName } from "./models";
import { isTested, progressQuery, type StepName, stepsDone, STEPS } from "./progress";
import { Questions } from "./Questions";
import { TestStep } from "./TestStep";

const ENDED = graphql(`subscription GuideProgress { turnAdded { id } }`);

export function StartPage() {
  const { t } = useTranslation("start");
  const queries = useQueryClient();
  // Steps are taken on other pages, too.
  const progress = useQuery({ ...progressQuery, refetchOnMount: "always" });
  const facts = progress.data;
  const [created, setCreated] = useState<string>();
  const [key, setKey] = useState("");
  const [typed, setTyped] = useState<string>();
  const channelID = created ?? facts?.channels.nodes[0]?.id;
  const [isSeenTested, setSeenTested] = useState(false);
  const done = stepsDone(facts, isSeenTested || isTested(channelID));
  const models = useModels(key);
  const model = typed ?? favourite(models);
  const renew = () => void queries.invalidateQueries({ queryKey: progressQuery.queryKey });
  // The log writes turns a moment after it tells of them.
  useSubscription(ENDED, {}, () => void setTimeout(renew, WRITTEN_WITHIN));
  const steps: Record<StepName, ReactNode> = {
    channel: <ChannelStep isDone={done.channel} onCreated={setCreated} />,
    test: <TestStep channelID={channelID} isFresh={created !== undefined} onTested={() => setSeenTested(true)} />,
    key: <KeyStep apiKey={key} onKey={setKey} isDone={done.key} />,
    client: <ClientStep apiKey={key} model={model} models={models} onModel={setTyped} />,
    continued: <Questions apiKey={key} model={model} onOver={() => setTimeout(renew, WRITTEN_WITHIN)} />,
  };
  const left = STEPS.filter((name) => !done[name]).length;
  // A step that turns out to be done would change under the eyes.
  if (progress.isPending) return <Page title={t("title")}><SkeletonRows /></Page>;
  return (
    <Page title={t("title")} lead={left === 0 ? t("over") : t("lead", { count: left })}>
      <ol className="space-y-5">
        {STEPS.map((name, index) => (
          <Step key={name} number={index + 1} title={t(`${name}.title`)} isDone={done[name]}>
            {steps[name]}
          </Step>
        ))}
      </ol>
    </Page>
  );
}

const WRITTEN_WITHIN = 1_500;

/** What the key may ask for; before there is one, what channels name. */
function useModels(key: string): readonly string[] {
  const named = useNames().channels.filter((each) => each.status === "ENABLED").flatMap((each) => each.models);
  const settled = useSettled(key, 400);
  const listed = useQuery({
    queryKey: ["start", "models", settled],
    queryFn: ({ signal }) => listModels(settled, signal),
    enabled: settled !== "",
    retry: false,
    // The name of this query holds the key: it goes with the page.
    gcTime: 0,
  });
  return [...new Set([...(listed.data ?? []), ...named.filter(isName)])];
}

function Step({ number, title, isDone, children }: { number: number; title: string; isDone: boolean; children: ReactNode }) {
  const { t } = useTranslation("start");
  return (
    <li>
      <Card
        title={
          <span className="flex items-center gap-3">
            <span
              aria-hidden
              className={`grid size-7 shrink-0 place-items-center rounded-full text-sm font-semibold
                ${isDone ? "bg-accent text-accent-ink" : "border border-line-strong text-soft"}`}
            >
              {isDone ? "✓" : number}
            </span>
            {title}
            {isDone && <span className="sr-only">{t("done")}</span>}
          </span>
        }
      >
        {children}
      </Card>
    </li>
  );
}
