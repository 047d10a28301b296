/** Chat with any model, as a client does: how each turn travelled stands beside it. */
import { Send, Square, Trash2 } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNames } from "@/api/names";
import { Button } from "@/shared/Button";
import { TextField } from "@/shared/Field";
import { Card, Page } from "@/shared/Page";
import { Empty } from "@/shared/states";
import { Strip, StripLegend } from "@/shared/Strip";
import { wordFor } from "./chat";
import { ExchangeView } from "./ExchangeView";
import { useChat } from "./useChat";

const isName = (model: string) => !/[*?[]/.test(model);

export function PlaygroundPage() {
  const { t } = useTranslation("playground");
  const names = useNames();
  const models = [...new Set(names.channels.filter((each) => each.status === "ENABLED").flatMap((each) => each.models))].filter(isName);
  const [typed, setTyped] = useState("");
  const [key, setKey] = useState("");
  const [instructions, setInstructions] = useState("");
  const [question, setQuestion] = useState("");
  const model = typed || models[0] || "";
  const chat = useChat({ key, model, instructions });
  const submit = (event?: FormEvent) => {
    event?.preventDefault();
    if (question.trim() === "" || key === "" || model === "" || chat.isRunning) return;
    chat.send(question.trim());
    setQuestion("");
  };
  return (
    <Page
      title={t("title")}
      lead={t("lead")}
      actions={
        chat.exchanges.length > 0 && (
          <Button icon={<Trash2 size={15} aria-hidden />} onClick={chat.clear}>
            {t("clear")}
          </Button>
        )
      }
    >
      <Card>
        <div className="grid gap-4 md:grid-cols-3">
          <div>
            <TextField label={t("model")} isMono list="models" value={model} onChange={(event) => setTyped(event.target.value)} />
            <datalist id="models">
              {models.map((each) => (
                <option key={each} value={each} />
              ))}
            </datalist>
          </div>
          <TextField
            label={t("key")}
            type="password"
            isMono
            placeholder="lw_…"
            hint={t("keyHint")}
            value={key}
            onChange={(event) => setKey(event.target.value.trim())}
          />
          <TextField
            label={t("instructions")}
            hint={t("instructionsHint")}
            value={instructions}
            onChange={(event) => setInstructions(event.target.value)}
          />
        </div>
      </Card>
      <Card>
        {chat.exchanges.length === 0 ? (
          <Empty title={t("none")}>{t("noneText")}</Empty>
        ) : (
          <>
            <div className="mb-4 space-y-1 border-b border-line pb-3">
              <Strip turns={chat.exchanges.filter((each) => each.isOver).map(wordFor)} isInFlight={chat.isRunning} />
              <StripLegend />
            </div>
            <ol className="space-y-6" aria-live="polite">
              {chat.exchanges.map((exchange, index) => (
                <ExchangeView key={index} exchange={exchange} />
              ))}
            </ol>
          </>
        )}
        <form onSubmit={submit} className="mt-5 flex items-end gap-2">
          <div className="min-w-0 flex-1">
            <label htmlFor="question" className="mb-1 block text-[13px] font-medium">
              {t("question")}
            </label>
            <textarea
              id="question"
              rows={2}
              className="field"
              value={question}
              onChange={(event) => setQuestion(event.target.value)}
              onKeyDown={(event) => {
                if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
                  event.preventDefault();
                  submit();
                }
              }}
            />
          </div>
          {chat.isRunning ? (
            <Button icon={<Square size={14} aria-hidden />} onClick={chat.stop}>
              {t("stop")}
            </Button>
          ) : (
            <Button
              type="submit"
              look="main"
              icon={<Send size={15} aria-hidden />}
              disabled={key === "" || model === "" || question.trim() === ""}
            >
              {t("send")}
            </Button>
          )}
        </form>
        {(key === "" || model === "") && <p className="mt-2 text-[13px] text-soft">{t("needs")}</p>}
      </Card>
    </Page>
  );
}
