/** A first request from the page itself, and its row as it arrives in the log. */
import { useMutation } from "@tanstack/react-query";
import { Send } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { sendTurn, type Travelled } from "@/api/dataPlane";
import { graphql, type ResultOf } from "@/api/graphql";
import { useSubscription } from "@/api/live";
import { Badge } from "@/shared/Badge";
import { Button } from "@/shared/Button";
import { TextField } from "@/shared/Field";
import { bytes, milliseconds } from "@/shared/format";
import { wordOf } from "@/shared/marks";
import { Failure } from "@/shared/states";
import { Strip } from "@/shared/Strip";
import { TurnsLink } from "@/shared/TurnsLink";

const ADDED = graphql(`
  subscription FirstTurns {
    turnAdded {
      id requestID keyName channelName modelAsked continuity reason outcome errorCode
      firstEventMs totalMs bytesReceived bytesSent
    }
  }
`);
type Added = ResultOf<typeof ADDED>["turnAdded"];
const MOST = 5;

export function FirstTurn({ apiKey, onKey, model }: { apiKey: string; onKey: (key: string) => void; model: string }) {
  const { t } = useTranslation(["start", "app"]);
  const [question, setQuestion] = useState(() => t("turn.question"));
  const [answer, setAnswer] = useState("");
  const [travelled, setTravelled] = useState<Travelled>();
  const [turns, setTurns] = useState<readonly Added[]>([]);
  useSubscription(ADDED, {}, ({ turnAdded }) => setTurns((before) => [turnAdded, ...before].slice(0, MOST)));
  const sending = useMutation({
    mutationFn: () => {
      setAnswer("");
      setTravelled(undefined);
      const onEvent = (event: { type?: string; delta?: unknown }) => {
        if (event.type === "response.output_text.delta") setAnswer((before) => before + String(event.delta));
      };
      return sendTurn(apiKey, { model, input: question, stream: true }, { onHeaders: setTravelled, onEvent });
    },
    meta: { isTold: true },
  });
  return (
    <div className="space-y-4">
      <form
        className="grid items-end gap-3 md:grid-cols-[1fr_1fr_auto]"
        onSubmit={(event) => {
          event.preventDefault();
          sending.mutate();
        }}
      >
        <TextField
          label={t("turn.key")}
          isMono
          type="password"
          required
          placeholder="lw-…"
          value={apiKey}
          onChange={(event) => onKey(event.target.value.trim())}
        />
        <TextField label={t("turn.input")} required value={question} onChange={(event) => setQuestion(event.target.value)} />
        <Button
          type="submit"
          look="main"
          icon={<Send size={15} aria-hidden />}
          isBusy={sending.isPending}
          disabled={apiKey === "" || model === ""}
        >
          {t("turn.send")}
        </Button>
      </form>
      {(apiKey === "" || model === "") && <p className="text-[13px] text-soft">{t("turn.needs")}</p>}
      {sending.isError && <Failure error={sending.error} />}
      {travelled !== undefined && (
        <div className="rounded-xl border border-line p-4">
          <p className="mb-2 flex flex-wrap gap-2">
            <Badge tone="good">{travelled.channel}</Badge>
            <Badge shape={false}>{t(`app:transports.${travelled.transport}`, { defaultValue: travelled.transport })}</Badge>
            <Badge shape={false}>{t(`app:reasonShort.${travelled.reason || travelled.continuity}`, { defaultValue: travelled.continuity })}</Badge>
          </p>
          <p data-testid="answer" className="whitespace-pre-wrap">{answer || "…"}</p>
        </div>
      )}
      <div aria-live="polite">
        {turns.length === 0 ? (
          <div className="flex items-center gap-3 text-soft">
            <Strip turns={[]} />
            {t("turn.watch")}
          </div>
        ) : (
          <ul className="space-y-2">
            {turns.map((turn) => (
              <li key={turn.id} className="flex flex-wrap items-center gap-x-4 gap-y-1">
                <Strip turns={[wordOf(turn)]} isEnded />
                <TurnsLink search={{ open: turn.id }} className="font-medium underline">
                  {turn.modelAsked}
                </TurnsLink>
                <span className="text-soft">
                  {turn.keyName} → {turn.channelName || "–"}
                </span>
                <span>{milliseconds(turn.totalMs)}</span>
                <span className="text-soft">{t("turn.bytes", { received: bytes(turn.bytesReceived), sent: bytes(turn.bytesSent) })}</span>
                <span className="text-soft">{t(`app:reasonShort.${wordOf(turn)}`, { defaultValue: wordOf(turn) })}</span>
              </li>
            ))}
          </ul>
        )}
      </div>
    </div>
  );
}
