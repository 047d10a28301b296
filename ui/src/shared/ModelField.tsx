/** A model that is typed; those that are known are offered. */
import { type InputHTMLAttributes, type ReactNode, useId } from "react";
import { TextField } from "./Field";

type Props = Omit<InputHTMLAttributes<HTMLInputElement>, "onChange" | "value" | "list"> & {
  label: string;
  hint?: ReactNode;
  problem?: string | undefined;
  value: string;
  models: readonly string[];
  onChange: (model: string) => void;
};

export function ModelField({ models, onChange, ...rest }: Props) {
  const id = useId();
  return (
    <div className="min-w-0">
      <TextField {...rest} isMono list={id} onChange={(event) => onChange(event.target.value.trim())} />
      <datalist id={id}>
        {models.map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
    </div>
  );
}
