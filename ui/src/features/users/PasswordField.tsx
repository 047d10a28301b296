import { Dices } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/shared/Button";
import { CopyButton } from "@/shared/Copy";
import { TextField } from "@/shared/Field";
import { newPassword } from "./draft";

/** A password for somebody else: typed unseen, or made up and shown, so that it can be handed over. */
export function PasswordField({
  value,
  problem,
  onChange,
}: {
  value: string;
  problem: string | undefined;
  onChange: (value: string) => void;
}) {
  const { t } = useTranslation("users");
  const [isShown, setShown] = useState(false);
  return (
    <div className="space-y-2">
      <TextField
        label={t("password")}
        hint={t("passwordHint")}
        type={isShown ? "text" : "password"}
        isMono={isShown}
        autoComplete="new-password"
        required
        minLength={10}
        maxLength={1024}
        value={value}
        problem={problem}
        onChange={(event) => onChange(event.target.value)}
      />
      <div className="flex flex-wrap gap-2">
        <Button
          isSmall
          icon={<Dices size={14} aria-hidden />}
          onClick={() => {
            setShown(true);
            onChange(newPassword());
          }}
        >
          {t("makeUp")}
        </Button>
        {isShown && value !== "" && <CopyButton text={value} />}
      </div>
    </div>
  );
}
