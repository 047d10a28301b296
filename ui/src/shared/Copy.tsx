import { Check, Copy as CopyIcon } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "./Button";

const SHOWN_FOR = 1_600;

/** Over plain HTTP browsers give no clipboard: then the text is selected and copied the old way. */
async function copy(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

export function CopyButton({ text, label }: { text: string; label?: string }) {
  const { t } = useTranslation();
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return undefined;
    const timer = setTimeout(() => setCopied(false), SHOWN_FOR);
    return () => clearTimeout(timer);
  }, [isCopied]);
  return (
    <Button
      isSmall
      icon={isCopied ? <Check size={14} aria-hidden /> : <CopyIcon size={14} aria-hidden />}
      onClick={() => void copy(text).then(() => setCopied(true))}
    >
      <span aria-live="polite">{isCopied ? t("copied") : (label ?? t("copy"))}</span>
    </Button>
  );
}

/** A secret, or a line to take along, in a box with its button. */
export function CopyLine({ text, name = "secret" }: { text: string; name?: string }) {
  return (
    <div className="flex flex-wrap items-center gap-2 rounded-xl border border-line bg-sunken p-3">
      <code data-testid={name} className="min-w-0 flex-1 basis-60 font-mono text-[13px] break-all">
        {text}
      </code>
      <CopyButton text={text} />
    </div>
  );
}

export function Snippet({ text, label }: { text: string; label: string }) {
  return (
    <div className="relative rounded-xl border border-line bg-sunken">
      {/* On a phone it has a line of its own: nothing of the text is below it. */}
      <div className="flex justify-end px-2 pt-2 sm:absolute sm:top-2 sm:right-2 sm:p-0">
        <CopyButton text={text} />
      </div>
      <pre
        // A region that scrolls must be reachable by keyboard.
        tabIndex={0}
        aria-label={label}
        className="max-h-96 overflow-auto rounded-xl px-4 py-3 font-mono text-[12.5px] leading-relaxed
          whitespace-pre sm:pr-24"
      >
        {text}
      </pre>
    </div>
  );
}
