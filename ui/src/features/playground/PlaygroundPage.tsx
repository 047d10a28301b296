/** Chat with any model, as a client does: how each turn travelled stands beside it. */
import { SquarePen } from "lucide-react";
import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";
import { graphql } from "@/api/graphql";
import { useSubscription } from "@/api/live";
import { useMe } from "@/api/me";
import { Button } from "@/shared/Button";
import { useDraft } from "@/shared/draft";
import { Notice } from "@/shared/Notice";
import { Card, Page } from "@/shared/Page";
import { Empty } from "@/shared/states";
import { Strip, StripLegend } from "@/shared/Strip";
import type { Exchange } from "./chat";
import { Composer } from "./Composer";
import { ExchangeView } from "./ExchangeView";
import { heldBy, keepKey, settingsTakenOver } from "./held";
import { type Settings, Setup } from "./Setup";

const ADDED = graphql(`
  subscription PlaygroundTurns($session: String!) {
    turnAdded(filter: { session: $session }) { id requestID bytesSent }
  }
`);
const UNSET: Settings = { api: "responses", model: "", instructions: "", temperature: "", offersTool: false, question: "" };

export function PlaygroundPage() {
  const { t } = useTranslation("playground");
  const held = heldBy(useMe().user.id);
  const { conversation } = held;
  const view = useSyncExternalStore(conversation.watch, conversation.shown);
  const [key, setKey] = useState(held.key);
  const draft = useDraft("playground", UNSET);
  const [edited, setEdited] = useState<Exchange>();
  useSubscription(ADDED, { session: view.session }, ({ turnAdded }) => conversation.logged(turnAdded));
  useEffect(() => keepKey(key), [key]);
  const { change } = draft;
  useEffect(() => {
    const settings = settingsTakenOver();
    if (settings !== undefined) change({ question: "", ...settings });
  }, [change]);
  const ways = { ...draft.value, key };
  const isReady = key !== "" && ways.model !== "";
  const send = (question: string, instead?: number) => {
    draft.change({ question: "" });
    setEdited(undefined);
    void conversation.send(question, ways, instead);
  };
  const edit = (exchange: Exchange) => {
    setEdited(exchange);
    draft.change({ question: exchange.question });
  };
  return (
    <Page
      title={t("title")}
      lead={t("lead")}
      actions={
        view.marks.length + view.exchanges.length > 0 && (
          <Button icon={<SquarePen size={15} aria-hidden />} onClick={conversation.clear}>
            {t("clear")}
          </Button>
        )
      }
    >
      <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_19rem]">
        <Card className="lg:order-last">
          <Setup apiKey={key} onKey={setKey} settings={draft.value} onChange={draft.change} />
        </Card>
        <Card>
          {view.left !== undefined && (
            <div className="mb-4">
              <Notice tone="warn" title={t("takenOver")}>
                <p className="text-[13px] break-words">{view.left.length === 0 ? t("nothingLeft") : t("left", { names: view.left.join(", "), interpolation: { escapeValue: false } })}</p>
              </Notice>
            </div>
          )}
          {view.exchanges.length + view.marks.length === 0 ? (
            <Empty title={t("none")}>{t("noneText")}</Empty>
          ) : (
            <>
              <div className="mb-4 space-y-1 border-b border-line pb-3">
                <Strip turns={view.marks} isInFlight={view.isRunning} />
                <StripLegend />
              </div>
              <Exchanges exchanges={view.exchanges} edited={edited?.id} onEdit={view.isRunning ? undefined : edit} />
            </>
          )}
          <Composer
            question={draft.value.question}
            onChange={(question) => draft.change({ question })}
            isReady={isReady}
            isRunning={view.isRunning}
            isEditing={edited !== undefined}
            onSend={(question) => send(question, edited?.id)}
            onStop={conversation.stop}
            onLeave={() => {
              setEdited(undefined);
              draft.change({ question: "" });
            }}
          />
        </Card>
      </div>
    </Page>
  );
}

const NEAR = 80;

/** Keeps to the end while it is read there; who scrolled up is left alone. */
function Exchanges(props: { exchanges: readonly Exchange[]; edited: number | undefined; onEdit: ((exchange: Exchange) => void) | undefined }) {
  const { t } = useTranslation("playground");
  const list = useRef<HTMLOListElement>(null);
  const isAtEnd = useRef(true);
  useEffect(() => {
    if (isAtEnd.current) list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [props.exchanges]);
  return (
    <ol
      ref={list}
      tabIndex={0}
      aria-label={t("conversation")}
      className="max-h-[max(18rem,calc(100dvh-26rem))] space-y-6 overflow-y-auto pr-1"
      onScroll={({ currentTarget: each }) => {
        isAtEnd.current = each.scrollHeight - each.scrollTop - each.clientHeight < NEAR;
      }}
    >
      {props.exchanges.map((exchange) => (
        <ExchangeView key={exchange.id} exchange={exchange} isEdited={exchange.id === props.edited} onEdit={props.onEdit} />
      ))}
    </ol>
  );
}
