import { useTranslation } from "react-i18next";
import { Badge } from "@/shared/Badge";
import { bytes, milliseconds, useFormat } from "@/shared/format";
import { Failure } from "@/shared/states";
import { type Exchange, wordFor } from "./chat";

export function ExchangeView({ exchange }: { exchange: Exchange }) {
  const { t } = useTranslation(["playground", "app"]);
  const { travelled } = exchange;
  const isContinued = travelled?.continuity === "continued";
  return (
    <li className="space-y-2">
      <p className="ml-auto w-fit max-w-[85%] rounded-2xl bg-accent-wash px-4 py-2 whitespace-pre-wrap">{exchange.question}</p>
      <div className="max-w-[92%] space-y-2">
        {exchange.answer !== "" && <p className="whitespace-pre-wrap">{exchange.answer}</p>}
        {!exchange.isOver && exchange.answer === "" && <p className="beating w-fit text-soft">…</p>}
        {exchange.error !== undefined && !isStopped(exchange.error) && <Failure error={exchange.error} />}
        {exchange.error !== undefined && isStopped(exchange.error) && <p className="text-soft">{t("stopped")}</p>}
        {travelled !== undefined && (
          <p className="flex flex-wrap items-center gap-2 text-[13px] text-soft">
            <Badge tone={isContinued ? "good" : "plain"}>{t(`app:reasonShort.${wordFor(exchange)}`)}</Badge>
            <span>{travelled.channel}</span>
            <span>{t(`app:transports.${travelled.transport}`)}</span>
            <span>{t("size", { bytes: bytes(exchange.sent) })}</span>
            <Numbers exchange={exchange} />
          </p>
        )}
      </div>
    </li>
  );
}

function Numbers({ exchange }: { exchange: Exchange }) {
  const { t } = useTranslation("playground");
  const format = useFormat();
  if (!exchange.isOver) return null;
  return (
    <>
      <span>{t("times", { first: milliseconds(exchange.firstEvent), total: milliseconds(exchange.total) })}</span>
      {exchange.inputTokens !== undefined && (
        <span>{t("tokens", { input: format.whole(exchange.inputTokens), cached: format.whole(exchange.cachedTokens) })}</span>
      )}
    </>
  );
}

function isStopped(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
