/** How much of something is gone, as a bar. */
const LOOKS = { good: "bg-accent", warn: "bg-warn", bad: "bg-bad" };

interface Props {
  label: string;
  /** From 0 to 1. */
  part: number;
  tone: keyof typeof LOOKS;
  className?: string;
}

export function Meter({ label, part, tone, className = "h-1.5" }: Props) {
  return (
    <span
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(part * 100)}
      className={`block overflow-hidden rounded-full bg-sunken ${className}`}
    >
      <span className={`block h-full rounded-full ${LOOKS[tone]}`} style={{ width: `${part * 100}%` }} />
    </span>
  );
}
