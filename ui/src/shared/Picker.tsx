/** What stands above rows and charts to choose what they show: its label is read out. */
import { useEffect, useState } from "react";
import { useSettled } from "./clock";
import type { Option } from "./Field";

/** As wide as what is chosen; on narrow pages as wide as its place. */
export const FITTED = "sm:!w-auto sm:max-w-44";
const CHOSEN = "!border-accent font-medium";

interface PickerProps<T extends string> {
  label: string;
  value: T | "" | undefined;
  options: readonly (Option & { value: T })[];
  /** What it is called to choose none of them; without it one is always chosen. */
  any?: string;
  onPick: (value: T) => void;
  className?: string;
}

export function Picker<T extends string>({ label, value = "", options, any, onPick, className = "!w-auto" }: PickerProps<T>) {
  const isFilter = any !== undefined;
  return (
    <select
      aria-label={label}
      className={`field ${className} ${isFilter && value !== "" ? CHOSEN : ""}`}
      value={value}
      onChange={(event) => onPick(event.target.value as T)}
    >
      {isFilter && <option value="">{any}</option>}
      {/* What the address names and the list does not is kept, and shown. */}
      {isFilter && value !== "" && !options.some((each) => each.value === value) && <option value={value}>{value}</option>}
      {options.map((each) => (
        <option key={each.value} value={each.value}>
          {each.label}
        </option>
      ))}
    </select>
  );
}

interface TypedProps {
  label: string;
  value: string | undefined;
  onSettle: (value: string) => void;
  className?: string;
}

/** A text that filters once it rests. */
export function TypedFilter({ label, value = "", onSettle, className = "sm:!w-36" }: TypedProps) {
  const [text, setText] = useState(value);
  const [seen, setSeen] = useState(value);
  if (value !== seen) {
    setSeen(value);
    setText(value);
  }
  const settled = useSettled(text, 400).trim();
  useEffect(() => {
    if (settled !== value && settled === text.trim()) onSettle(settled);
    // Only what was typed is set; what the address says is read above.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [settled]);
  return (
    <input
      type="search"
      aria-label={label}
      placeholder={label}
      className={`field ${className} ${value === "" ? "" : CHOSEN}`}
      value={text}
      onChange={(event) => setText(event.target.value)}
    />
  );
}
