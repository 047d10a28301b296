/** Two questions of one session, sent as a client does: the second one shows what is not sent again. */
import { Send } from "lucide-react";
import { useState, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";
import { sendTurn } from "@/api/dataPlane";
import { graphql } from "@/api/graphql";
import { useSubscription } from "@/api/live";
import type { Exchange } from "@/features/playground/chat";
import { Conversation } from "@/features/playground/conversation";
import { ExchangeView } from "@/features/playground/ExchangeView";
import { Button } from "@/shared/Button";
import { bytes } from "@/shared/format";
import { Strip, StripLegend } from "@/shared/Strip";

const ADDED = graphql(`
  subscription GuideTurns($session: String!) {
    turnAdded(filter: { session: $session }) { id requestID bytesSent }
  }
`);

export function Questions({ apiKey, model, onOver }: { apiKey: string; model: string; onOver: () => void }) {
  const { t } = useTranslation("start");
  const [conversation] = useState(() => new Conversation(sendTurn));
  const view = useSyncExternalStore(conversation.watch, conversation.shown);
  useSubscription(ADDED, { session: view.session }, ({ turnAdded }) => conversation.logged(turnAdded));
  const isReady = apiKey !== "" && model !== "";
  const send = async () => {
    if (view.exchanges.length > 0) conversation.clear();
    const ways = { api: "responses", key: apiKey, model, instructions: "", temperature: "", offersTool: false } as const;
    await conversation.send(t("turn.first"), ways);
    if (conversation.shown().exchanges.at(-1)?.state === "done") await conversation.send(t("turn.second"), ways);
    onOver();
  };
  return (
    <div className="space-y-4">
      <p className="text-soft">{t("turn.text")}</p>
      <Button look="main" icon={<Send size={15} aria-hidden />} isBusy={view.isRunning} disabled={!isReady} onClick={() => void send()}>
        {view.exchanges.length === 0 ? t("turn.send") : t("turn.again")}
      </Button>
      {!isReady && <p className="text-[13px] text-soft">{t("turn.needs")}</p>}
      {view.exchanges.length > 0 && (
        <>
          <div className="space-y-1">
            <Strip turns={view.marks} isInFlight={view.isRunning} />
            <StripLegend />
          </div>
          <ol className="space-y-6">
            {view.exchanges.map((exchange) => (
              <ExchangeView key={exchange.id} exchange={exchange} isEdited={false} onEdit={undefined} />
            ))}
          </ol>
          <div aria-live="polite">
            <Verdict second={view.exchanges[1]} />
          </div>
        </>
      )}
    </div>
  );
}

/** What came of the second question, with its figures once the log has them. */
function Verdict({ second }: { second: Exchange | undefined }) {
  const { t } = useTranslation(["start", "app"]);
  if (second?.state !== "done") return null;
  if (second.travelled?.continuity !== "continued") {
    return <p className="rounded-xl bg-warn-wash px-4 py-3 text-warn">{t("turn.notContinued")}</p>;
  }
  return (
    <p data-testid="continued" className="rounded-xl bg-accent-wash px-4 py-3 text-good">
      <span aria-hidden>✓ </span>
      <strong>{t("app:continuity.continued")}</strong>{" "}
      {second.logged !== undefined &&
        t("turn.saved", {
          received: bytes(second.size),
          sent: bytes(second.logged.bytesSent),
          saved: bytes(Math.max(0, second.size - second.logged.bytesSent)),
        })}
    </p>
  );
}
