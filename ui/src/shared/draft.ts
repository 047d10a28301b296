/** A form's state that outlives a reload of the page; secrets never leave its memory. */
import { useCallback, useEffect, useState } from "react";

const PREFIX = "longwire-draft:";

function read<T>(key: string): T | undefined {
  try {
    const text = sessionStorage.getItem(PREFIX + key);
    return text === null ? undefined : (JSON.parse(text) as T);
  } catch {
    return undefined;
  }
}

function write(key: string, value: unknown): void {
  try {
    sessionStorage.setItem(PREFIX + key, JSON.stringify(value));
  } catch {
    // A browser that keeps nothing: the form still works.
  }
}

export interface Draft<T> {
  value: T;
  change: (part: Partial<T>) => void;
  /** Forgets what was typed; the form is as given. */
  discard: (as?: T) => void;
  isChanged: boolean;
  /** Whether this came back from before a reload. */
  isRestored: boolean;
}

/** `secrets` are the fields that have some, or what a value is without them. */
export function useDraft<T extends object>(
  key: string,
  initial: T,
  secrets: readonly (keyof T)[] | ((value: T) => Partial<T>) = [],
): Draft<T> {
  const [found] = useState(() => read<Partial<T>>(key));
  const [base, setBase] = useState(initial);
  const [value, setValue] = useState<T>(() => ({ ...initial, ...found }));
  const isChanged = JSON.stringify(value) !== JSON.stringify(base);
  useEffect(() => {
    if (!isChanged) {
      sessionStorage.removeItem(PREFIX + key);
      return;
    }
    if (typeof secrets === "function") {
      write(key, secrets(value));
      return;
    }
    const kept = Object.entries(value).filter(([name]) => !secrets.includes(name as keyof T));
    write(key, Object.fromEntries(kept));
  }, [key, value, isChanged, secrets]);
  const change = useCallback((part: Partial<T>) => setValue((before) => ({ ...before, ...part })), []);
  const discard = useCallback(
    (as?: T) => {
      sessionStorage.removeItem(PREFIX + key);
      setBase(as ?? base);
      setValue(as ?? base);
    },
    [key, base],
  );
  return { value, change, discard, isChanged, isRestored: found !== undefined };
}

/** Where two versions of a thing differ, field by field. */
export function differencesOf<Field extends string>(
  fields: readonly Field[],
  theirs: Readonly<Record<Field, unknown>>,
  yours: Readonly<Record<Field, unknown>>,
  text: (value: unknown) => string = String,
): { field: Field; theirs: string; yours: string }[] {
  return fields
    .map((field) => ({ field, theirs: text(theirs[field]), yours: text(yours[field]) }))
    .filter((each) => each.theirs !== each.yours);
}
