import { Pencil, RotateCcw } from "lucide-react";
import { memo } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "@/api/errors";
import { Badge } from "@/shared/Badge";
import { IconButton } from "@/shared/Button";
import { bytes, milliseconds, UNKNOWN, useFormat } from "@/shared/format";
import { Failure } from "@/shared/states";
import { TurnsLink } from "@/shared/TurnsLink";
import { type Exchange, wordFor } from "./chat";
import type { ToolCall } from "./tool";

export const ExchangeView = memo(function ExchangeView({
  exchange,
  isEdited,
  onEdit,
}: {
  exchange: Exchange;
  isEdited: boolean;
  onEdit: ((exchange: Exchange) => void) | undefined;
}) {
  const { t } = useTranslation("playground");
  const { state, answer } = exchange;
  return (
    <li className={`space-y-2 ${isEdited ? "border-l-2 border-warn pl-3" : ""}`}>
      {exchange.question !== "" && (
        <div className="flex items-start justify-end gap-1">
          {onEdit !== undefined && (
            <IconButton label={state === "failed" ? t("again") : t("edit")} onClick={() => onEdit(exchange)}>
              {state === "failed" ? <RotateCcw size={14} aria-hidden /> : <Pencil size={14} aria-hidden />}
            </IconButton>
          )}
          <p className="max-w-[85%] rounded-2xl bg-accent-wash px-4 py-2 whitespace-pre-wrap">{exchange.question}</p>
        </div>
      )}
      <div className="space-y-2">
        {answer !== "" && (
          <p aria-live={state === "running" ? "off" : "polite"} className="max-w-[92%] whitespace-pre-wrap">
            {answer}
            {state === "running" && <span aria-hidden className="beating">▍</span>}
          </p>
        )}
        {exchange.calls.map((call, index) => (
          <Called key={index} call={call} output={exchange.results.find(({ id }) => id === call.id)?.output} />
        ))}
        {state === "running" && answer === "" && exchange.calls.length === 0 && (
          <p role="status" className="beating w-fit text-soft">
            {t("waiting")}
          </p>
        )}
        {state === "done" && answer === "" && exchange.calls.length === 0 && <p className="text-soft">{t("noText")}</p>}
        {state === "stopped" && <p className="text-soft">{t("stopped")}</p>}
        {exchange.incomplete !== undefined && <p className="text-warn">{t("incomplete", { reason: exchange.incomplete })}</p>}
        {state === "failed" && <Failed error={exchange.error} />}
        {exchange.travelled !== undefined && <Facts exchange={exchange} />}
      </div>
    </li>
  );
});

/** A call of a tool as the model wrote it, and what the page answers. */
function Called({ call, output }: { call: ToolCall; output: string | undefined }) {
  const { t } = useTranslation("playground");
  return (
    <div className="w-fit max-w-[92%] rounded-xl border border-line bg-sunken px-3 py-2 text-[13px]">
      <p>
        <span className="text-soft">{t("called")} </span>
        <code className="font-mono break-all">
          {call.name}({call.arguments})
        </code>
      </p>
      {output !== undefined && (
        <p>
          <span className="text-soft">{t("result")} </span>
          <code className="font-mono break-all">{output}</code>
        </p>
      )}
    </div>
  );
}

/** What went wrong in the gateway's words, and what mends it. */
function Failed({ error }: { error: unknown }) {
  const { t } = useTranslation("playground");
  const code = error instanceof ApiError ? error.code : "";
  const mend = t(`mends.${code}`, { defaultValue: "" });
  return (
    <div className="space-y-1.5">
      <Failure error={error} />
      <p className="text-[13px] text-soft">
        {code !== "" && <code className="mr-2 font-mono">{code}</code>}
        {mend}
      </p>
    </div>
  );
}

function Facts({ exchange }: { exchange: Exchange }) {
  const { t } = useTranslation(["playground", "app"]);
  const { travelled, logged } = exchange;
  if (travelled === undefined) return null;
  const told = travelled.reason || travelled.continuity;
  const apis = [exchange.api, travelled.api || exchange.api].map((api) => t(`app:apis.${api}`, { defaultValue: api }));
  return (
    <div className="text-[13px] text-soft">
      <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <Badge tone={travelled.continuity === "continued" ? "good" : "plain"}>
          {t(`app:reasonShort.${told}`, { defaultValue: told })}
        </Badge>
        <span>{[...new Set(apis)].join(" → ")}</span>
        <span>{travelled.channel}</span>
        <span>{t(`app:transports.${travelled.transport}`, { defaultValue: travelled.transport })}</span>
        <span>
          {logged === undefined
            ? t("size", { bytes: bytes(exchange.size) })
            : t("sizes", { bytes: bytes(exchange.size), sent: bytes(logged.bytesSent) })}
        </span>
        {travelled.dropped !== "" && <span>{t("dropped", { names: travelled.dropped })}</span>}
        <Figures exchange={exchange} />
        {logged !== undefined && (
          <TurnsLink search={{ open: logged.turn }} className="underline">
            {t("inLog")}
          </TurnsLink>
        )}
      </p>
      {wordFor(exchange) === travelled.reason && travelled.reason !== "new_session" && (
        <p className="mt-0.5">{t(`app:reasons.${travelled.reason}`, { defaultValue: "" })}</p>
      )}
    </div>
  );
}

function Figures({ exchange }: { exchange: Exchange }) {
  const { t } = useTranslation("playground");
  const format = useFormat();
  if (exchange.state === "running") return null;
  return (
    <>
      <span>{t("times", { first: milliseconds(exchange.firstEvent), total: milliseconds(exchange.total) })}</span>
      {exchange.inputTokens !== undefined && (
        <span>
          {t("tokens", {
            input: format.whole(exchange.inputTokens),
            cached: exchange.cachedTokens === undefined ? UNKNOWN : format.whole(exchange.cachedTokens),
            output: format.whole(exchange.outputTokens),
          })}
        </span>
      )}
    </>
  );
}
