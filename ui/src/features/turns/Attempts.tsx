/** Each try of a turn: whom it asked, how that ended and when, drawn to the scale of the whole turn. */
import { useTranslation } from "react-i18next";
import { Badge, Mono } from "@/shared/Badge";
import { Facts } from "@/shared/Facts";
import { milliseconds } from "@/shared/format";
import type { Turn } from "./columns";

type Details = NonNullable<Turn["details"]>;
type Attempt = Details["attempts"][number];

export function Attempts({ turn }: { turn: Turn }) {
  const { t } = useTranslation("turns");
  const attempts = placed(turn.details?.attempts ?? [], turn.totalMs);
  if (attempts.length < 2 && !attempts.some((each) => each.attempt.trouble !== "")) return null;
  return (
    <section aria-label={t("attempts")}>
      <h3 className="mb-2 font-semibold">{t("attempts")}</h3>
      <ol className="divide-y divide-line rounded-xl border border-line">
        {attempts.map(({ attempt, start, length }, index) => (
          <li key={index} className="space-y-1.5 px-4 py-3">
            <Head attempt={attempt} number={index + 1} turn={turn} />
            <Said attempt={attempt} turn={turn} />
            <span aria-hidden className="relative block h-2 overflow-hidden rounded bg-sunken">
              <span
                className={`absolute inset-y-0 min-w-[3px] rounded-sm ${hasFailed(attempt) ? "bg-bad" : "chart-c0"}`}
                style={{ left: `${start}%`, width: `${length}%` }}
              />
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Head({ attempt, number, turn }: { attempt: Attempt; number: number; turn: Turn }) {
  const { t } = useTranslation(["turns", "app"]);
  return (
    <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
      <span className="text-soft">{number}.</span>
      <span className="min-w-0 font-medium break-words">{attempt.channelName}</span>
      {attempt.transport !== "" && <Badge shape={false}>{t(`app:transports.${attempt.transport}`, { defaultValue: attempt.transport })}</Badge>}
      <Badge tone={hasFailed(attempt) ? "bad" : "good"}>
        {attempt.trouble === "" ? t(`app:outcomes.${turn.outcome}`, { defaultValue: turn.outcome }) : attempt.trouble}
      </Badge>
      <span className="ml-auto text-soft">{t("after", { time: milliseconds(attempt.endedMs) })}</span>
    </p>
  );
}

/** What struck it in a sentence, and the words of who refused it, unless they stand above. */
function Said({ attempt, turn }: { attempt: Attempt; turn: Turn }) {
  const { t } = useTranslation("turns");
  if (!hasFailed(attempt)) return null;
  return (
    <div className="text-[13px]">
      {attempt.trouble !== "" && <p>{t(`troubles.${attempt.trouble}`, { defaultValue: attempt.trouble })}</p>}
      <p className="text-soft">
        HTTP {attempt.status} · <Mono className="break-all">{attempt.code}</Mono>
      </p>
      {attempt.message !== "" && attempt.message !== turn.details?.message && <p className="break-words text-soft">{attempt.message}</p>}
    </div>
  );
}

function hasFailed(attempt: Attempt): boolean {
  return attempt.trouble !== "" || attempt.code !== "";
}

/** Where each lies in percent of the whole: it began when the one before it ended. */
export function placed<A extends Pick<Attempt, "endedMs">>(attempts: readonly A[], totalMs: number) {
  const whole = Math.max(1, totalMs);
  let start = 0;
  return attempts.map((attempt) => {
    const from = start;
    start = Math.max(from, Math.min(attempt.endedMs, whole));
    return { attempt, start: (from / whole) * 100, length: ((start - from) / whole) * 100 };
  });
}

/** Who asked, by what the client told of itself. */
export function Headers({ turn }: { turn: Turn }) {
  const { t } = useTranslation("turns");
  const headers = turn.details?.headers ?? [];
  return (
    <section aria-label={t("headers")}>
      <h3 className="mb-2 font-semibold">{t("headers")}</h3>
      {turn.details === null && <p className="text-soft">{t("noDetails")}</p>}
      {turn.details !== null && headers.length === 0 && <p className="text-soft">{t("noHeaders")}</p>}
      <Facts facts={headers.map(({ name, value }) => [name, <Mono key={name} className="break-all">{value}</Mono>])} />
    </section>
  );
}
