/** Fields that more than one form has. */
import { PasswordInput, Select } from "@mantine/core";
import type { ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";

interface PasswordFieldProps {
  label: string;
  description?: ReactNode;
  error?: ReactNode;
  /** Whether the browser fills in the one that it keeps, or offers to keep this one. */
  isNew?: boolean;
  isRequired?: boolean;
  value: string;
  onChange: (value: string) => void;
}

export function PasswordField(props: PasswordFieldProps): ReactElement {
  const { t } = useTranslation();
  return (
    <PasswordInput
      label={props.label}
      description={props.description}
      error={props.error}
      required={props.isRequired ?? true}
      autoComplete={props.isNew ? "new-password" : "current-password"}
      value={props.value}
      visibilityToggleButtonProps={{ "aria-label": t("showPassword") }}
      onChange={(event) => props.onChange(event.currentTarget.value)}
    />
  );
}

interface RoleSelectProps {
  roles: readonly string[];
  value: string;
  onChange: (role: string) => void;
}

export function RoleSelect({ roles, value, onChange }: RoleSelectProps): ReactElement {
  const { t } = useTranslation();
  return (
    <Select
      label={t("field.role")}
      data={roles.map((role) => ({ value: role, label: t(`role.${role}`) }))}
      value={value}
      allowDeselect={false}
      onChange={(role) => role !== null && onChange(role)}
    />
  );
}
