/** One turn: why it travelled as it did, where its time went, what it moved and cost. */
import { useQuery } from "@tanstack/react-query";
import { ChevronLeft, ChevronRight } from "lucide-react";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { Badge } from "@/shared/Badge";
import { Button } from "@/shared/Button";
import { CopyButton } from "@/shared/Copy";
import { Dialog } from "@/shared/Dialog";
import { useFormat } from "@/shared/format";
import { wordOf } from "@/shared/marks";
import { Failure, SkeletonRows } from "@/shared/states";
import { Mark } from "@/shared/Strip";
import { turnQuery } from "./api";
import { Attempts, Headers } from "./Attempts";
import { Bodies } from "./Bodies";
import type { Turn } from "./columns";
import { Difference } from "./Difference";
import { TurnFacts } from "./TurnFacts";
import { TurnTimes } from "./TurnTimes";
import { useWhatChanged } from "./useWhatChanged";
import { WhyThere } from "./WhyThere";

interface DialogProps {
  id: string;
  /** The turns above and below it in the list, where it stands in there. */
  newer?: string | undefined;
  older?: string | undefined;
  onOpen: (id: string) => void;
  onClose: () => void;
}

export function TurnDialog({ id, newer, older, onOpen, onClose }: DialogProps) {
  const { t } = useTranslation("turns");
  useEffect(() => {
    const step = (event: KeyboardEvent) => {
      const to = { ArrowLeft: newer, ArrowRight: older }[event.key];
      const isElsewhere = event.target instanceof Element && event.target.closest("pre, input, textarea, select, [role=menu]") !== null;
      if (to !== undefined && !isElsewhere && !event.altKey && !event.ctrlKey && !event.metaKey) onOpen(to);
    };
    addEventListener("keydown", step);
    return () => removeEventListener("keydown", step);
  }, [newer, older, onOpen]);
  const found = useQuery(turnQuery(id));
  return (
    <Dialog title={t("one")} place="side" isWide onClose={onClose}>
      <p className="mb-3 flex gap-2">
        <Button isSmall icon={<ChevronLeft size={14} aria-hidden />} disabled={newer === undefined} onClick={() => newer !== undefined && onOpen(newer)}>
          {t("newerTurn")}
        </Button>
        <Button isSmall icon={<ChevronRight size={14} aria-hidden />} disabled={older === undefined} onClick={() => older !== undefined && onOpen(older)}>
          {t("olderTurn")}
        </Button>
      </p>
      {found.isError && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      {found.isPending && <SkeletonRows />}
      {found.data !== undefined && <Detail turn={found.data} />}
    </Dialog>
  );
}

function Detail({ turn }: { turn: Turn }) {
  const { t } = useTranslation(["turns", "app"]);
  const format = useFormat();
  return (
    <div className="space-y-6">
      <div className="space-y-3">
        <div className="flex flex-wrap items-center gap-2">
          <svg width="14" height="24" aria-hidden>
            <Mark turn={wordOf(turn)} x={7} />
          </svg>
          <Badge tone={turn.errorCode === "" ? "good" : "bad"}>{t(`app:outcomes.${turn.outcome}`, { defaultValue: turn.outcome })}</Badge>
          {turn.transport !== "" && <Badge shape={false}>{t(`app:transports.${turn.transport}`, { defaultValue: turn.transport })}</Badge>}
          <span className="text-soft">{format.dateTime(turn.startedAt)}</span>
          <span className="ml-auto">
            <CopyButton text={location.href} label={t("copyLink")} />
          </span>
        </div>
        {turn.errorCode !== "" && (
          <div className="rounded-xl bg-bad-wash px-4 py-3 text-bad">
            <p>
              <span aria-hidden>✕ </span>HTTP {turn.status} · <code className="font-mono break-all">{turn.errorCode}</code>
            </p>
            {turn.details !== null && turn.details.message !== "" && <p className="mt-1 break-words">{turn.details.message}</p>}
          </div>
        )}
        <Why turn={turn} />
      </div>
      <TurnTimes turn={turn} />
      <Attempts turn={turn} />
      <WhyThere id={turn.id} />
      <TurnFacts turn={turn} />
      <Headers turn={turn} />
      {turn.session !== "" && <Difference id={turn.id} />}
      <Bodies turn={turn} />
    </div>
  );
}

/** The reason in a sentence, and what to make of it. */
function Why({ turn }: { turn: Turn }) {
  const { t } = useTranslation(["turns", "app"]);
  const whatChanged = useWhatChanged();
  const reason = turn.reason || turn.continuity;
  if (reason === "") return <p className="rounded-xl bg-sunken px-4 py-3">{t("notSent")}</p>;
  return (
    <div className="rounded-xl bg-sunken px-4 py-3">
      <p className="text-[13px] text-soft">{turn.continuity === "fresh" ? t("whyNot") : t("why")}</p>
      <p className="font-medium">{t(`app:reasons.${reason}`, { defaultValue: reason })}</p>
      {turn.changed !== "" && (
        <p className="mt-1 break-words" title={turn.changed} data-testid="changed">
          {whatChanged(turn.changed)}
        </p>
      )}
      {turn.continuity === "fresh" && <p className="mt-1 text-[13px] text-soft">{t(`advice.${turn.reason}`, { defaultValue: "" })}</p>}
    </div>
  );
}
