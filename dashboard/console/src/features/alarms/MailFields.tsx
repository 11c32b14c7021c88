/** A mail server of the project's own, or none. */
import { NativeSelect, NumberInput, PasswordInput, Switch, Textarea, TextInput } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { AlarmMail } from "@console/api/shapes";

export type MailDraft = AlarmMail & { password: string };

const NEW: MailDraft = {
  host: "",
  port: 587,
  security: "starttls",
  username: "",
  sender: "",
  caCertificate: "",
  isPasswordSet: false,
  password: "",
};

interface MailFieldsProps {
  value: MailDraft | null;
  isKept: boolean;
  onChange: (value: MailDraft | null) => void;
}

export function MailFields({ value, isKept, onChange }: MailFieldsProps): ReactElement {
  const { t } = useTranslation("alarms");
  const text = (name: "host" | "sender" | "username", isRequired: boolean) =>
    value !== null && (
      <TextInput
        label={t(`mail.${name}`)}
        required={isRequired}
        value={value[name]}
        onChange={(event) => onChange({ ...value, [name]: event.currentTarget.value })}
      />
    );
  return (
    <>
      <Switch
        label={t("mail.own")}
        checked={value !== null}
        onChange={(event) => onChange(event.currentTarget.checked ? NEW : null)}
      />
      {value !== null && (
        <div className="form-grid">
          {text("host", true)}
          <NumberInput
            label={t("mail.port")}
            required
            allowDecimal={false}
            min={1}
            max={65535}
            value={value.port}
            onChange={(port) => onChange({ ...value, port: Number(port) })}
          />
          <NativeSelect
            label={t("mail.security")}
            data={["starttls", "tls", "none"].map((each) => ({
              value: each,
              label: t(`mail.securities.${each}`),
            }))}
            value={value.security}
            onChange={(event) =>
              onChange({ ...value, security: event.currentTarget.value as MailDraft["security"] })
            }
          />
          {text("sender", true)}
          {text("username", false)}
          <PasswordInput
            label={t("mail.password")}
            {...(isKept && { placeholder: t("kept") })}
            autoComplete="new-password"
            value={value.password}
            onChange={(event) => onChange({ ...value, password: event.currentTarget.value })}
          />
          <Textarea
            label={t("mail.caCertificate")}
            description={t("mail.caHelp")}
            autosize
            maxRows={6}
            value={value.caCertificate}
            onChange={(event) => onChange({ ...value, caCertificate: event.currentTarget.value })}
          />
        </div>
      )}
    </>
  );
}
