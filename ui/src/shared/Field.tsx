import { type InputHTMLAttributes, type ReactNode, type SelectHTMLAttributes, type TextareaHTMLAttributes, useId } from "react";

interface Around {
  label: string;
  /** One sentence below the field. */
  hint?: ReactNode;
  /** What is wrong, with the mend. */
  problem?: string | undefined;
  /** What would hold if the field were left empty, shown as such. */
  inherited?: string | undefined;
}

function useParts({ hint, problem, inherited }: Around) {
  const id = useId();
  const described = [problem && `${id}-problem`, (hint ?? inherited) !== undefined && `${id}-hint`];
  return { id, describedBy: described.filter(Boolean).join(" ") || undefined };
}

function Frame({ id, label, hint, problem, inherited, children }: Around & { id: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <label htmlFor={id} className="mb-1 block text-[13px] font-medium">
        {label}
      </label>
      {children}
      {problem !== undefined && (
        <p id={`${id}-problem`} className="mt-1 text-[13px] text-bad">
          <span aria-hidden>✕ </span>
          {problem}
        </p>
      )}
      {(hint !== undefined || inherited !== undefined) && (
        <p id={`${id}-hint`} className="mt-1 text-[13px] text-soft">
          {inherited !== undefined && <span className="italic">{inherited} </span>}
          {hint}
        </p>
      )}
    </div>
  );
}

/** What is wrong with fields that have no room for it below each of them. */
export function Problems({ fields, problem }: { fields: readonly string[]; problem: (field: string) => string | undefined }) {
  return fields.map((field) => {
    const wrong = problem(field);
    return wrong === undefined ? null : (
      <p key={field} className="text-[13px] text-bad">
        ✕ {wrong}
      </p>
    );
  });
}

type TextProps = Around & InputHTMLAttributes<HTMLInputElement> & { isMono?: boolean };

export function TextField({ label, hint, problem, inherited, isMono, className = "", ...rest }: TextProps) {
  const around = { label, hint, problem, inherited };
  const { id, describedBy } = useParts(around);
  return (
    <Frame id={id} {...around}>
      <input
        id={id}
        className={`field ${isMono ? "font-mono text-[13px]" : ""} ${className}`}
        aria-invalid={problem !== undefined}
        aria-describedby={describedBy}
        autoComplete="off"
        spellCheck={false}
        {...rest}
      />
    </Frame>
  );
}

type AreaProps = Around & TextareaHTMLAttributes<HTMLTextAreaElement> & { isMono?: boolean };

export function AreaField({ label, hint, problem, inherited, isMono, ...rest }: AreaProps) {
  const around = { label, hint, problem, inherited };
  const { id, describedBy } = useParts(around);
  return (
    <Frame id={id} {...around}>
      <textarea
        id={id}
        className={`field ${isMono ? "font-mono text-[12.5px]" : ""}`}
        aria-invalid={problem !== undefined}
        aria-describedby={describedBy}
        {...rest}
      />
    </Frame>
  );
}

export interface Option {
  value: string;
  label: string;
}

/** Things to choose from, by their ids. */
export const optionsOf = (things: readonly { id: string; name: string }[]): Option[] =>
  things.map((each) => ({ value: each.id, label: each.name }));

type SelectProps = Around & SelectHTMLAttributes<HTMLSelectElement> & { options: readonly Option[] };

export function SelectField({ label, hint, problem, inherited, options, ...rest }: SelectProps) {
  const around = { label, hint, problem, inherited };
  const { id, describedBy } = useParts(around);
  return (
    <Frame id={id} {...around}>
      <select
        id={id}
        className="field"
        aria-invalid={problem !== undefined}
        aria-describedby={describedBy}
        {...rest}
      >
        {options.map((each) => (
          <option key={each.value} value={each.value}>
            {each.label}
          </option>
        ))}
      </select>
    </Frame>
  );
}

export function CheckField({
  label,
  hint,
  ...rest
}: { label: string; hint?: ReactNode } & InputHTMLAttributes<HTMLInputElement>) {
  const id = useId();
  return (
    <div className="flex gap-2.5">
      <input
        id={id}
        type="checkbox"
        className="mt-1 size-4 shrink-0 accent-accent"
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        {...rest}
      />
      <div>
        <label htmlFor={id} className="font-medium">
          {label}
        </label>
        {hint !== undefined && (
          <p id={`${id}-hint`} className="text-[13px] text-soft">
            {hint}
          </p>
        )}
      </div>
    </div>
  );
}

/** Several of a list, or none of it, which is any. */
export function Choices({
  label,
  hint,
  options,
  chosen,
  onChange,
}: {
  label: string;
  hint?: ReactNode;
  options: readonly Option[];
  chosen: readonly string[];
  onChange: (chosen: string[]) => void;
}) {
  if (options.length === 0) return null;
  const toggle = (value: string) =>
    onChange(chosen.includes(value) ? chosen.filter((each) => each !== value) : [...chosen, value]);
  return (
    <fieldset className="min-w-0">
      <legend className="mb-1 text-[13px] font-medium">{label}</legend>
      {hint !== undefined && <p className="mb-2 text-[13px] text-soft">{hint}</p>}
      <div className="max-h-40 space-y-1 overflow-y-auto">
        {options.map((each) => (
          <CheckField key={each.value} label={each.label} checked={chosen.includes(each.value)} onChange={() => toggle(each.value)} />
        ))}
      </div>
    </fieldset>
  );
}

/** A few choices that all show: radio buttons that look like one control. */
export function Choice({
  label,
  value,
  options,
  onChange,
  disabled,
  hint,
}: {
  label: string;
  value: string;
  options: readonly Option[];
  onChange: (value: string) => void;
  disabled?: boolean;
  hint?: ReactNode;
}) {
  const id = useId();
  return (
    <fieldset disabled={disabled} className="min-w-0">
      <legend className="mb-1 text-[13px] font-medium">{label}</legend>
      <div className="inline-flex flex-wrap rounded-lg border border-line-strong bg-card p-0.5">
        {options.map((each) => (
          <label
            key={each.value}
            className="cursor-pointer rounded-md px-3 py-1 text-soft has-checked:bg-accent
              has-checked:text-accent-ink has-focus-visible:outline-2 has-focus-visible:outline-offset-2
              has-focus-visible:outline-accent has-disabled:cursor-default"
          >
            <input
              type="radio"
              className="sr-only"
              name={id}
              value={each.value}
              checked={each.value === value}
              onChange={() => onChange(each.value)}
            />
            {each.label}
          </label>
        ))}
      </div>
      {hint !== undefined && <p className="mt-1 text-[13px] text-soft">{hint}</p>}
    </fieldset>
  );
}
