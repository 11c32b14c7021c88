/** A new password, twice, with what it lacks said while typing. */
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { PasswordField } from "@/components/fields";
import { faultsOf } from "@console/lib/password";

export interface NewPasswordState {
  password: string;
  again: string;
}

interface NewPasswordProps {
  label: string;
  value: NewPasswordState;
  onChange: (value: NewPasswordState) => void;
}

export function NewPassword({ label, value, onChange }: NewPasswordProps): ReactElement {
  const { t } = useTranslation();
  const faults = faultsOf(value.password);
  const said = Object.entries(faults).filter(([, isThere]) => isThere);
  const lacks = said.map(([fault]) => t(`password.${fault}`)).join(t("password.comma"));
  const rule = lacks === "" ? t("password.good") : t("password.lacks", { lacks });
  const differs = value.again !== "" && value.again !== value.password;
  return (
    <>
      <PasswordField
        label={label}
        description={rule}
        isNew
        value={value.password}
        onChange={(password) => onChange({ ...value, password })}
      />
      <PasswordField
        label={t("password.again")}
        isNew
        error={differs ? t("password.differs") : undefined}
        value={value.again}
        onChange={(again) => onChange({ ...value, again })}
      />
    </>
  );
}
