/** The form of a plugin's settings, drawn from its schema. */
import { FileInput, NumberInput, PasswordInput, Select, Switch, Textarea, TextInput } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { isAsked, type SettingField, type Values } from "./settings";

interface SettingFieldsProps {
  fields: [string, SettingField][];
  values: Values;
  onChange: (values: Values) => void;
}

export function SettingFields({ fields, values, onChange }: SettingFieldsProps): ReactElement {
  return (
    <>
      {fields
        .filter(([, field]) => isAsked(field, values))
        .map(([name, field]) => (
          <OneField
            key={name}
            field={field}
            value={values[name]}
            onChange={(value) => onChange({ ...values, [name]: value })}
          />
        ))}
    </>
  );
}

interface OneFieldProps {
  field: SettingField;
  value: unknown;
  onChange: (value: unknown) => void;
}

function useWords(field: SettingField) {
  const { i18n } = useTranslation();
  const isChinese = i18n.language === "zh";
  return {
    label: (isChinese && field.name_zh) || field.name,
    description: (isChinese && field.description_zh) || field.description || undefined,
    isChinese,
  };
}

function OneField({ field, value, onChange }: OneFieldProps): ReactElement {
  const { t } = useTranslation();
  const { isChinese, ...words } = useWords(field);
  const required = field.attribute === "required";
  const text = value === undefined || value === null ? "" : String(value);
  switch (field.type) {
    case "bool":
      return (
        <Switch
          {...words}
          checked={value === true || value === 1}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
      );
    case "int":
    case "real":
      return (
        <NumberInput
          {...words}
          required={required}
          allowDecimal={field.type === "real"}
          {...(field.valid?.min !== undefined && { min: field.valid.min })}
          {...(field.valid?.max !== undefined && { max: field.valid.max })}
          clampBehavior="none"
          value={text === "" ? "" : Number(text)}
          onChange={(next) => onChange(next === "" ? "" : Number(next))}
        />
      );
    case "map": {
      const choices = field.valid?.map ?? [];
      return (
        <Select
          {...words}
          required={required}
          allowDeselect={!required}
          data={choices.map((choice) => ({
            value: String(choice.value),
            label: (isChinese && choice.key_zh) || choice.key,
          }))}
          value={text === "" ? null : text}
          onChange={(next) => onChange(choices.find((one) => String(one.value) === next)?.value)}
        />
      );
    }
    case "file":
      return (
        <FileInput
          {...words}
          required={required && text === ""}
          clearable
          placeholder={text === "" ? t("chooseFile") : t("fileKept")}
          clearButtonProps={{ "aria-label": t("clear") }}
          onChange={(file) => void encoded(file).then(onChange)}
        />
      );
    case "string":
      if (field.secret === true) {
        return (
          <PasswordInput
            {...words}
            required={required}
            autoComplete="new-password"
            visibilityToggleButtonProps={{ "aria-label": t("showPassword") }}
            value={text}
            onChange={(event) => onChange(event.currentTarget.value)}
          />
        );
      }
      if (field.multiline === true) {
        return (
          <Textarea
            {...words}
            required={required}
            autosize
            minRows={3}
            maxRows={12}
            value={text}
            onChange={(event) => onChange(event.currentTarget.value)}
          />
        );
      }
      return (
        <TextInput
          {...words}
          required={required}
          value={text}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
  }
}

async function encoded(file: File | null): Promise<string> {
  if (file === null) return "";
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
