import { TextInput } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

interface NameFieldProps {
  value: string;
  onChange: (name: string) => void;
}

/** Part of the id, so it stays as it is. */
export function NameField({ value, onChange }: NameFieldProps): ReactElement {
  const { t } = useTranslation("integration");
  return (
    <TextInput
      label={t("field.name")}
      description={t("nameHelp")}
      required
      autoComplete="off"
      pattern="[0-9A-Za-z_\-]{1,255}"
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
