/** Fields of one value. */
import {
  NumberInput,
  PasswordInput,
  Select,
  Switch,
  TagsInput,
  Textarea,
  TextInput,
} from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { kindOf, numberOrText, type Schema } from "@/lib/schema";

import { useFieldError } from "./fieldErrors";

interface LeafProps {
  name: string;
  schema: Schema;
  root: Schema;
  value: unknown;
  isRequired: boolean;
  onChange: (value: unknown) => void;
}

/** What a field is called and means, in the language of the page. */
export function useWords(
  name: string,
  schema: Schema,
): { label: string; description: string | undefined } {
  const { i18n } = useTranslation();
  const isChinese = i18n.language === "zh";
  const chinese = isChinese ? schema["x-zh"] : undefined;
  const meaning =
    chinese?.description ?? (isChinese ? schema["x-description-zh"] : undefined) ?? schema.description;
  const takes = (isChinese ? schema["x-takes-zh"] : undefined) ?? schema["x-takes"];
  const description = [meaning, takes].filter(Boolean).join(" · ");
  const title =
    chinese?.title ?? (isChinese ? schema["x-title-zh"] : undefined) ?? schema.title ?? name;
  return { label: title, description: description || undefined };
}

export function LeafField(props: LeafProps): ReactElement {
  const { schema, value, onChange } = props;
  const { t } = useTranslation("schema");
  const { label, description } = useWords(props.name, schema);
  const error = useFieldError();
  const common = { label, description, error, required: props.isRequired };
  const hint = schema.default === "" ? undefined : (schema.default ?? undefined);
  const placeholder = hint === undefined ? undefined : t("default", { value: shownAs(hint) });
  switch (kindOf(schema, props.root)) {
    case "boolean":
      return (
        <Switch
          label={label}
          description={description}
          error={error}
          checked={(value ?? schema.default ?? false) === true}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
      );
    case "choice":
      return (
        <Select
          {...common}
          placeholder={placeholder}
          data={(schema.enum ?? []).map(String)}
          value={value === undefined || value === null ? null : String(value)}
          clearable={!props.isRequired}
          clearButtonProps={{ "aria-label": t("clear") }}
          onChange={(word) => onChange((schema.enum ?? []).find((each) => String(each) === word))}
        />
      );
    case "integer":
    case "number":
      return (
        <NumberInput
          {...common}
          placeholder={placeholder}
          {...(schema.minimum !== undefined && { min: schema.minimum })}
          {...(schema.maximum !== undefined && { max: schema.maximum })}
          allowDecimal={schema.type === "number"}
          hideControls
          value={typeof value === "number" ? value : ""}
          onChange={(number) => onChange(number === "" ? undefined : Number(number))}
        />
      );
    case "secret":
      return (
        <PasswordInput
          {...common}
          autoComplete="new-password"
          aria-invalid={error !== undefined}
          value={typeof value === "string" ? value : ""}
          visibilityToggleButtonProps={{ "aria-label": t("showSecret") }}
          onChange={(event) => onChange(event.currentTarget.value || undefined)}
        />
      );
    case "texts":
      return (
        <TagsInput
          {...common}
          required={false}
          placeholder={t("addText")}
          value={Array.isArray(value) ? value.map(String) : []}
          clearable={false}
          onChange={onChange}
        />
      );
    case "long":
      return (
        <Textarea
          {...common}
          autosize
          minRows={4}
          maxRows={16}
          value={shownAs(value)}
          onChange={(event) => onChange(event.currentTarget.value || undefined)}
        />
      );
    default:
      return (
        <TextInput
          {...common}
          placeholder={placeholder}
          value={shownAs(value)}
          onChange={(event) => {
            const text = event.currentTarget.value;
            const isPlainText = schema.type === "string";
            onChange(text === "" ? undefined : isPlainText ? text : numberOrText(text));
          }}
        />
      );
  }
}

function shownAs(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
