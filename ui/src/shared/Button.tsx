import { Plus } from "lucide-react";
import type { ButtonHTMLAttributes, ReactNode } from "react";

type Look = "main" | "plain" | "quiet" | "danger";

const LOOKS: Record<Look, string> = {
  main: "bg-accent text-accent-ink hover:bg-accent-deep border border-transparent",
  plain: "bg-card text-ink border border-line-strong hover:bg-sunken",
  quiet: "text-soft hover:text-ink hover:bg-sunken border border-transparent",
  danger: "bg-card text-bad border border-bad hover:bg-bad-wash",
};

export function looksOf(look: Look, isSmall = false): string {
  const size = isSmall ? "min-h-8 px-2.5 text-[13px]" : "min-h-9 px-3.5";
  return `inline-flex items-center justify-center gap-1.5 rounded-lg font-medium whitespace-nowrap
    transition-colors disabled:opacity-55 ${size} ${LOOKS[look]}`;
}

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: Look;
  isSmall?: boolean;
  /** What is asked for is under way: the label stays, and nothing is asked twice. */
  isBusy?: boolean;
  icon?: ReactNode;
}

export function Button({
  look = "plain",
  isSmall = false,
  isBusy = false,
  icon,
  className = "",
  children,
  disabled,
  type = "button",
  ...rest
}: ButtonProps) {
  return (
    <button
      type={type}
      className={`${looksOf(look, isSmall)} ${className}`}
      disabled={disabled === true || isBusy}
      aria-busy={isBusy}
      {...rest}
    >
      {icon}
      {children}
      {isBusy && <span aria-hidden className="beating">…</span>}
    </button>
  );
}

/** Leads to a new one of what a page lists. */
export function AddButton({ isSmall = false, ...rest }: ButtonProps) {
  return <Button look={isSmall ? "plain" : "main"} isSmall={isSmall} icon={<Plus size={isSmall ? 14 : 16} aria-hidden />} {...rest} />;
}

/** A button that is an icon alone; its label is read out and shown on hovering. */
export function IconButton({ label, children, ...rest }: Omit<ButtonProps, "icon"> & { label: string }) {
  return (
    <Button look="quiet" isSmall aria-label={label} title={label} className="!px-2" {...rest}>
      {children}
    </Button>
  );
}
