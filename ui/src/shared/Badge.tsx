import type { ReactNode } from "react";

export type Tone = "good" | "warn" | "bad" | "plain";

const TONES: Record<Tone, string> = {
  good: "bg-accent-wash text-good",
  warn: "bg-warn-wash text-warn",
  bad: "bg-bad-wash text-bad",
  plain: "bg-sunken text-soft",
};
// A shape beside the colour: nothing is said by colour alone.
const SHAPES: Record<Tone, string> = { good: "●", warn: "◐", bad: "✕", plain: "○" };

export function Badge({ tone = "plain", shape = true, children }: { tone?: Tone; shape?: boolean; children: ReactNode }) {
  return (
    <span
      className={`inline-flex items-center gap-1.5 rounded-full align-middle px-2 py-0.5 text-xs font-medium whitespace-nowrap ${TONES[tone]}`}
    >
      {shape && (
        <span aria-hidden className="text-[9px] leading-none">
          {SHAPES[tone]}
        </span>
      )}
      {children}
    </span>
  );
}

/** An id or a name as programs know it. */
export function Mono({ children, className = "" }: { children: ReactNode; className?: string }) {
  return <code className={`font-mono text-[12.5px] ${className}`}>{children}</code>;
}
