import { useNavigate } from "@tanstack/react-router";
import { FlaskConical } from "lucide-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay, useMe } from "@/api/me";
import { urlOf } from "@/api/place";
import { takeOver } from "@/features/playground/held";
import { Button } from "@/shared/Button";
import { CopyButton, Snippet } from "@/shared/Copy";
import { bytes } from "@/shared/format";
import { OnDemand } from "@/shared/OnDemand";
import { bodiesQuery } from "./api";
import type { Turn } from "./columns";
import { commandOf, pathOf } from "./conversation/command";
import { conversationOf } from "./conversation/conversation";
import { ConversationView } from "./conversation/ConversationView";
import { isMembers, readBody } from "./conversation/readBody";
import { readerOf } from "./conversation/readers";
import { takenOver } from "./conversation/taken";
import type { ApiFormat } from "@/api/words";

interface Kept {
  request: string;
  response: string;
}

/** What was said, for who may read it; asked for on purpose only. */
export function Bodies({ turn }: { turn: Turn }) {
  const { t } = useTranslation("turns");
  const mayRead = useMay("bodies:read");
  if (!mayRead) return null;
  return (
    <OnDemand title={t("bodies")} act={t("showBodies")} query={bodiesQuery(turn.id)}>
      {({ bodies, previous }) =>
        bodies === null ? <p className="text-soft">{t("noBodies")}</p> : <Shown turn={turn} kept={bodies} before={previous?.bodies?.request} />
      }
    </OnDemand>
  );
}

/** As a conversation where it is one; as it was sent a click away. */
function Shown({ turn, kept, before }: { turn: Turn; kept: Kept; before: string | undefined }) {
  const { t } = useTranslation("turns");
  const [isRaw, setRaw] = useState(false);
  const conversation = useMemo(() => {
    const isOne = readerOf(turn.apiFormat) !== undefined;
    return isOne ? conversationOf({ api: turn.apiFormat as ApiFormat, ...kept, before, isContinued: turn.continuity === "continued" }) : null;
  }, [turn, kept, before]);
  return (
    <>
      <div className="flex flex-wrap items-center gap-2">
        {conversation !== null && (
          <Button isSmall aria-pressed={isRaw} onClick={() => setRaw(!isRaw)}>
            {isRaw ? t("asConversation") : t("asRaw")}
          </Button>
        )}
        <Actions turn={turn} kept={kept} />
      </div>
      {conversation === null && kept.request !== "" && <p className="text-[13px] text-soft">{t("noConversation")}</p>}
      {conversation !== null && !isRaw ? (
        <ConversationView conversation={conversation} />
      ) : (
        <>
          <Body name={t("request")} text={kept.request} />
          <Body name={t("response")} text={kept.response} />
        </>
      )}
    </>
  );
}

function Actions({ turn, kept }: { turn: Turn; kept: Kept }) {
  const { t } = useTranslation("turns");
  const request = { api: turn.apiFormat, model: turn.modelAsked, streams: turn.streams, body: kept.request };
  const isForm = FORMS.has(turn.apiFormat) || !isMembers(readBody(kept.request).value);
  return (
    <>
      {!isForm && (
        <span title={t("curlHint")}>
          <CopyButton text={commandOf(request, urlOf(pathOf(request)))} label={t("copyAsCurl")} />
        </span>
      )}
      {FORMS.has(turn.apiFormat) && <span className="text-[13px] text-soft">{t("formRequest")}</span>}
      <ToPlayground turn={turn} kept={kept} />
    </>
  );
}

/** What is kept of a form is a note of its fields. */
const FORMS = new Set(["images/edits", "audio/transcriptions", "audio/translations"]);

function ToPlayground({ turn, kept }: { turn: Turn; kept: Kept }) {
  const { t } = useTranslation("turns");
  const navigate = useNavigate();
  const { user } = useMe();
  if (readerOf(turn.apiFormat) === undefined) return null;
  const open = () => {
    const taken = takenOver(turn.apiFormat as ApiFormat, turn.modelAsked, kept.request, kept.response);
    if (taken === null) return;
    takeOver(user.id, taken.exchanges, taken.left, taken.settings);
    void navigate({ to: "/playground" });
  };
  return (
    <Button isSmall icon={<FlaskConical size={14} aria-hidden />} onClick={open}>
      {t("toPlayground")}
    </Button>
  );
}

function Body({ name, text }: { name: string; text: string }) {
  const { t } = useTranslation("turns");
  const [isOpen, setOpen] = useState(true);
  const shown = useMemo(() => pretty(text), [text]);
  if (text === "") return <p className="text-soft">{t("noBody", { name })}</p>;
  return (
    <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="mb-2 font-medium">
        {name} <span className="font-normal text-soft">{bytes(new Blob([text]).size)}</span>
      </summary>
      {isOpen && <Snippet label={name} text={shown} />}
    </details>
  );
}

/** With lines and indents; what is no JSON stays as it is. */
function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
