import { Send, Square } from "lucide-react";
import { useEffect, useId, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/shared/Button";

/** Enter sends, Shift and Enter is a new line, Escape stops an answer or leaves an edit. */
export function Composer(props: {
  question: string;
  onChange: (question: string) => void;
  isReady: boolean;
  isRunning: boolean;
  isEditing: boolean;
  onSend: (question: string) => void;
  onStop: () => void;
  onLeave: () => void;
}) {
  const { t } = useTranslation(["playground", "app"]);
  const { question, isReady, isRunning, isEditing, onStop, onLeave } = props;
  const id = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const asked = question.trim();
  const submit = () => {
    if (asked !== "" && isReady && !isRunning) props.onSend(asked);
  };
  useEffect(() => {
    if (isEditing) field.current?.focus();
  }, [isEditing]);
  useEffect(() => {
    const act = isRunning ? onStop : isEditing ? onLeave : undefined;
    if (act === undefined) return undefined;
    const leave = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !event.isComposing && document.querySelector("dialog[open]") === null) act();
    };
    addEventListener("keydown", leave);
    return () => removeEventListener("keydown", leave);
  }, [isRunning, isEditing, onStop, onLeave]);
  return (
    <form
      className="mt-5"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      {isEditing && (
        <p className="mb-2 flex flex-wrap items-center gap-x-3 gap-y-1 rounded-lg bg-warn-wash px-3 py-1.5 text-[13px] text-warn">
          {t("editing")}
          <button type="button" className="font-medium underline" onClick={onLeave}>
            {t("app:cancel")}
          </button>
        </p>
      )}
      <label htmlFor={id} className="mb-1 block text-[13px] font-medium">
        {t("question")}
      </label>
      <div className="flex items-end gap-2">
        <textarea
          ref={field}
          id={id}
          rows={2}
          className="field max-h-60 min-h-16 min-w-0 flex-1 [field-sizing:content]"
          aria-describedby={`${id}-hint`}
          value={question}
          onChange={(event) => props.onChange(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
            event.preventDefault();
            submit();
          }}
        />
        {isRunning ? (
          <Button icon={<Square size={14} aria-hidden />} onClick={onStop}>
            {t("stop")}
          </Button>
        ) : (
          <Button type="submit" look="main" icon={<Send size={15} aria-hidden />} disabled={!isReady || asked === ""}>
            {t("send")}
          </Button>
        )}
      </div>
      <p id={`${id}-hint`} className="mt-1.5 text-[13px] text-soft">
        {isReady ? t("keys") : t("needs")}
      </p>
    </form>
  );
}
