import { X } from "lucide-react";
import { type ReactNode, useEffect, useId, useRef } from "react";
import { useTranslation } from "react-i18next";
import { IconButton } from "./Button";

/** What gets the focus first: what is to be filled in, else what is to be decided, not the cross. */
const FIRST = ["input", "textarea", "select", "button"]
  .map((name) => `[data-body] ${name}:not(:disabled):not([type="radio"])`)
  .join(", ");

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
  /** `side` slides in from the right and takes the whole height. */
  place?: "middle" | "side";
  isWide?: boolean;
  /** Without it Escape and the cross do nothing: for what must be decided. */
  canClose?: boolean;
}

/** The browser's own modal dialog: it keeps the focus inside and the page behind inert. */
export function Dialog({ title, onClose, children, place = "middle", isWide = false, canClose = true }: DialogProps) {
  const { t } = useTranslation();
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    if (element !== null && !element.open) {
      element.showModal();
      element.querySelector<HTMLElement>(FIRST)?.focus();
    }
    return () => {
      element?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  const width = isWide ? "max-w-3xl" : "max-w-lg";
  const where =
    place === "side"
      ? `ml-auto mr-0 my-0 h-dvh max-h-dvh w-full ${isWide ? "max-w-3xl" : "max-w-xl"} rounded-l-2xl`
      : `m-auto w-[calc(100%-2rem)] ${width} rounded-2xl max-h-[calc(100dvh-2rem)]`;
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      className={`${where} flex-col overflow-hidden border border-line bg-card p-0 text-ink shadow-card open:flex`}
      onCancel={(event) => {
        event.preventDefault();
        if (canClose) onClose();
      }}
      onClick={(event) => {
        if (canClose && event.target === dialog.current && place === "side") onClose();
      }}
    >
      <header className="flex items-center justify-between gap-3 border-b border-line px-5 py-3">
        <h2 id={id} className="min-w-0 text-base font-semibold">
          {title}
        </h2>
        {canClose && (
          <IconButton label={t("close")} onClick={onClose}>
            <X size={16} aria-hidden />
          </IconButton>
        )}
      </header>
      <div data-body className="min-h-0 flex-1 overflow-y-auto px-5 py-4">{children}</div>
    </dialog>
  );
}

/** Asks before what cannot be undone. */
export function Confirm({
  title,
  children,
  action,
  onConfirm,
  onClose,
  isBusy,
}: {
  title: string;
  children: ReactNode;
  action: string;
  onConfirm: () => void;
  onClose: () => void;
  isBusy?: boolean;
}) {
  const { t } = useTranslation();
  return (
    <Dialog title={title} onClose={onClose}>
      <div className="space-y-5">
        <div className="text-soft">{children}</div>
        <div className="flex justify-end gap-2">
          <button type="button" className="rounded-lg px-3 py-1.5 text-soft hover:bg-sunken" onClick={onClose}>
            {t("cancel")}
          </button>
          <button
            type="button"
            disabled={isBusy}
            className="rounded-lg border border-bad px-3 py-1.5 font-medium text-bad hover:bg-bad-wash"
            onClick={onConfirm}
          >
            {action}
          </button>
        </div>
      </div>
    </Dialog>
  );
}
