import { useTranslation } from "react-i18next";
import { bytes, milliseconds, useFormat } from "@/shared/format";
import { wordOf } from "@/shared/marks";
import { Mark } from "@/shared/Strip";
import { TurnsLink } from "@/shared/TurnsLink";
import type { SessionTurn } from "./api";

/** Turn by turn, the newest first: why it travelled as it did, and what it took. */
export function Timeline({ turns }: { turns: readonly SessionTurn[] }) {
  const { t } = useTranslation("sessions");
  if (turns.length === 0) return <p className="text-soft">{t("noTurns")}</p>;
  const longest = Math.max(...turns.map((turn) => turn.totalMs), 1);
  const largest = Math.max(...turns.map((turn) => turn.bytesReceived), 1);
  return (
    <ol className="space-y-1">
      {turns.map((turn) => (
        <Entry key={turn.id} turn={turn} longest={longest} largest={largest} />
      ))}
    </ol>
  );
}

function Entry({ turn, longest, largest }: { turn: SessionTurn; longest: number; largest: number }) {
  const { t } = useTranslation(["sessions", "app"]);
  const format = useFormat();
  const word = wordOf(turn);
  return (
    <li className="grid grid-cols-[18px_1fr] gap-x-2 border-l border-line pb-3 pl-2">
      <svg width="14" height="24" aria-hidden>
        <Mark turn={word} x={7} />
      </svg>
      <div className="min-w-0">
        <p className="flex flex-wrap items-baseline gap-x-3">
          <TurnsLink search={{ open: turn.id }} className="font-medium underline">
            {format.time(turn.startedAt)}
          </TurnsLink>
          <span className="text-soft">{turn.modelServed || turn.modelAsked}</span>
          {turn.errorCode !== "" && <span className="text-bad">✕ {turn.errorCode}</span>}
        </p>
        <p className="text-[13px] text-soft">{t(`app:reasons.${word}`, { defaultValue: word })}</p>
        <div className="mt-1.5 grid grid-cols-1 gap-x-6 gap-y-1 text-[13px] sm:grid-cols-2">
          <Pair
            name={t("bytesPair", { received: bytes(turn.bytesReceived), sent: bytes(turn.bytesSent) })}
            outer={turn.bytesReceived / largest}
            inner={turn.bytesSent / largest}
          />
          <Pair
            name={t("timesPair", { first: milliseconds(turn.firstEventMs), total: milliseconds(turn.totalMs) })}
            outer={turn.totalMs / longest}
            inner={(turn.firstEventMs ?? 0) / longest}
          />
        </div>
        <p className="mt-1 text-[13px] text-soft">
          {t("tokens", {
            input: format.whole(turn.inputTokens),
            cached: format.whole(turn.cachedTokens),
            output: format.whole(turn.outputTokens),
          })}
        </p>
      </div>
    </li>
  );
}

/** A bar within a bar: what was sent of what came in, the first event within the whole. */
function Pair({ name, outer, inner }: { name: string; outer: number; inner: number }) {
  const width = (part: number) => ({ width: `${Math.min(1, part) * 100}%` });
  return (
    <div>
      <span>{name}</span>
      <span aria-hidden className="relative mt-0.5 block h-1.5">
        <span className="absolute inset-y-0 rounded-full bg-sunken ring-1 ring-line" style={width(outer)} />
        <span className="absolute inset-y-0 rounded-full bg-accent" style={width(inner)} />
      </span>
    </div>
  );
}
