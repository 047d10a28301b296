import { CheckField, type Option } from "@/shared/Field";

/** Several of a list, or none of it, which is any. */
export function Choices({
  label,
  options,
  chosen,
  onChange,
}: {
  label: string;
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
      <div className="max-h-40 space-y-1 overflow-y-auto">
        {options.map((each) => (
          <CheckField key={each.value} label={each.label} checked={chosen.includes(each.value)} onChange={() => toggle(each.value)} />
        ))}
      </div>
    </fieldset>
  );
}
