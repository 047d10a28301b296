/** What stands where there is nothing yet, nothing at all, or something went wrong. */
import type { TFunction } from "i18next";
import { RefreshCw, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { ApiError, type FieldProblem } from "@/api/errors";
import { Button } from "./Button";
import type { Texts } from "./i18n/texts";
import { exhaustive } from "@/api/records";

export function Skeleton({ className = "h-4 w-full" }: { className?: string }) {
  return <div aria-hidden className={`skeleton ${className}`} />;
}

export function SkeletonRows({ rows = 6 }: { rows?: number }) {
  const { t } = useTranslation();
  return (
    <div className="space-y-3 py-1" role="status" aria-label={t("loading")}>
      {Array.from({ length: rows }, (_, row) => (
        <Skeleton key={row} className="h-7 w-full" />
      ))}
    </div>
  );
}

export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="flex flex-col items-center gap-3 px-4 py-10 text-center">
      <svg width="120" height="28" viewBox="0 0 120 28" aria-hidden className="text-line-strong">
        <path d="M4 14h112" stroke="currentColor" strokeDasharray="3 5" />
        <path d="M20 7v14M38 7v14M56 7v14" stroke="currentColor" strokeWidth="3" strokeLinecap="round" opacity=".5" />
      </svg>
      <p className="font-medium">{title}</p>
      {children !== undefined && <div className="max-w-md text-soft">{children}</div>}
      {action}
    </div>
  );
}

/** What went wrong, and what mends it. */
export function Failure({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { t } = useTranslation();
  return (
    <div role="alert" className="flex flex-wrap items-start gap-3 rounded-xl border border-bad bg-bad-wash px-4 py-3">
      <TriangleAlert size={18} aria-hidden className="mt-0.5 shrink-0 text-bad" />
      <div className="min-w-0 flex-1">
        <p className="font-medium">{useFailureText(error)}</p>
        {isOfFields(error) && (
          <ul className="list-disc pl-5">
            {[...new Set(fieldsOf(error).map((each) => each.message))].map((message) => (
              <li key={message}>{message}</li>
            ))}
          </ul>
        )}
        {error instanceof ApiError && error.requestID !== undefined && (
          <p className="text-[13px] text-soft">{t("failure.request", { id: error.requestID })}</p>
        )}
      </div>
      {onRetry !== undefined && (
        <Button isSmall icon={<RefreshCw size={14} aria-hidden />} onClick={onRetry}>
          {t("retry")}
        </Button>
      )}
    </div>
  );
}

/** What is wrong with each field of a form that was refused for them. */
const fieldsOf = (error: unknown): readonly FieldProblem[] =>
  error instanceof ApiError && error.code === "INVALID" ? error.fields : [];

/** Whether a form was refused field by field: then each of them says what is wrong. */
export const isOfFields = (error: unknown): boolean => fieldsOf(error).length > 0;

type Code = Exclude<keyof Texts["app"]["failure"], "request" | "fields_one" | "fields_other">;
const CODES: readonly string[] = exhaustive<Code>({
  OFFLINE: true,
  FORBIDDEN: true,
  ORIGIN: true,
  INTERNAL: true,
  CONFLICT: true,
  UNAUTHENTICATED: true,
  LIMIT: true,
  HTTP: true,
});
const hasText = (code: string): code is Code => CODES.includes(code);

/** The failure in the page's language where it has a code of its own, else as the gateway told it. */
export function useFailureText(error: unknown): string {
  const { t } = useTranslation();
  return failureText(error, t);
}

export function failureText(error: unknown, t: TFunction<"app">): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  if (isOfFields(error)) return t("failure.fields", { count: new Set(fieldsOf(error).map((each) => each.field)).size });
  if (error.code === "CONFLICT" && error.revision === undefined) return error.message;
  if (!hasText(error.code)) return error.message;
  return t(`failure.${error.code}`, { message: error.message, seconds: error.retryAfter ?? 1 });
}
