import { Check, TriangleAlert, X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { dismiss, useToasts } from "./toasts";

export function Toasts() {
  const toasts = useToasts();
  const { t } = useTranslation();
  return (
    <div
      role="status"
      aria-live="polite"
      className="pointer-events-none fixed inset-x-3 bottom-3 z-50 flex flex-col items-end gap-2"
    >
      {toasts.map((toast) => (
        <div
          key={toast.id}
          className="pointer-events-auto flex max-w-md items-start gap-2.5 rounded-xl border border-line bg-card
            px-3.5 py-2.5 shadow-card"
        >
          {toast.kind === "good" ? (
            <Check size={16} aria-hidden className="mt-0.5 shrink-0 text-good" />
          ) : (
            <TriangleAlert size={16} aria-hidden className="mt-0.5 shrink-0 text-bad" />
          )}
          <span className="min-w-0">{toast.text}</span>
          {toast.action !== undefined && (
            <button
              type="button"
              className="font-medium text-accent underline"
              onClick={() => {
                toast.action?.run();
                dismiss(toast.id);
              }}
            >
              {toast.action.label}
            </button>
          )}
          <button
            type="button"
            aria-label={t("close")}
            className="mt-0.5 text-soft hover:text-ink"
            onClick={() => dismiss(toast.id)}
          >
            <X size={14} aria-hidden />
          </button>
        </div>
      ))}
    </div>
  );
}
