/**
 * Draws a form from a JSON Schema: settings, providers, listeners, plugins.
 *
 * A field that is left empty is absent from the value, and the node's default holds.
 */
import { Button, Fieldset, Group, JsonInput, Select, Stack, TextInput } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { isTree, put, type Tree } from "@/lib/changes";
import {
  initial,
  isFixed,
  kindOf,
  resolve,
  variantName,
  variantOf,
  type Schema,
} from "@/lib/schema";

import { AtField } from "./fieldErrors";
import { LeafField, useWords } from "./SchemaLeaf";

interface SchemaFormProps {
  schema: Schema;
  value: unknown;
  onChange: (value: unknown) => void;
  /** Keys that are not drawn. */
  hidden?: readonly string[];
  /** The document in which references are looked up; the schema itself without. */
  root?: Schema;
}

export function SchemaForm(props: SchemaFormProps): ReactElement {
  const root = props.root ?? props.schema;
  const plain = resolve(props.schema, root);
  return (
    <ObjectFields
      schema={plain}
      root={root}
      value={props.value}
      onChange={props.onChange}
      hidden={props.hidden ?? []}
    />
  );
}

interface PartProps {
  schema: Schema;
  root: Schema;
  value: unknown;
  onChange: (value: unknown) => void;
}

function ObjectFields({
  schema,
  root,
  value,
  onChange,
  hidden = [],
}: PartProps & { hidden?: readonly string[] }): ReactElement {
  const tree: Tree = isTree(value) ? value : {};
  if (schema.oneOf !== undefined) {
    return <Variants name="" schema={schema} root={root} value={value} onChange={onChange} />;
  }
  return (
    <Stack gap="sm">
      {Object.entries(schema.properties ?? {})
        .filter(([name, field]) => !hidden.includes(name) && !isHidden(field, root))
        .map(([name, field]) => (
          <AtField key={name} step={name}>
            <SchemaField
              name={name}
              schema={resolve(field, root)}
              root={root}
              value={tree[name]}
              isRequired={schema.required?.includes(name) ?? false}
              onChange={(part) => onChange(put(tree, name, part))}
            />
          </AtField>
        ))}
    </Stack>
  );
}

function isHidden(field: Schema, root: Schema): boolean {
  const plain = resolve(field, root);
  return isFixed(plain) || plain.readOnly === true;
}

export interface FieldProps extends PartProps {
  name: string;
  isRequired: boolean;
}

function SchemaField(props: FieldProps): ReactElement {
  const { label, description } = useWords(props.name, props.schema);
  switch (kindOf(props.schema, props.root)) {
    case "object":
      return (
        <Fieldset legend={label}>
          <ObjectFields {...props} />
        </Fieldset>
      );
    case "variants":
      return <Variants {...props} />;
    case "list":
      return <ListField {...props} />;
    case "map":
      return <MapField {...props} />;
    case "other":
      return <AnyField {...props} label={label} description={description} />;
    default:
      return <LeafField {...props} />;
  }
}

function Variants(props: PartProps & { name: string }): ReactElement {
  const { t } = useTranslation("schema");
  const forms = props.schema.oneOf ?? [];
  const chosen = variantOf(forms, props.value, props.root);
  const form = forms[chosen];
  const { label } = useWords(props.name, props.schema);
  const inner = form === undefined ? {} : resolve(form, props.root);
  return (
    <Fieldset legend={label || t("kind")} variant={props.name === "" ? "unstyled" : "default"}>
      <Stack gap="sm">
        {forms.length > 1 && (
          <Select
            label={t("kind")}
            data={forms.map((each, index) => ({
              value: String(index),
              label: variantName(each, props.root),
            }))}
            value={String(chosen)}
            allowDeselect={false}
            onChange={(index) => {
              const next = forms[Number(index)];
              if (next !== undefined) props.onChange(initial(next, props.root));
            }}
          />
        )}
        <ObjectFields {...props} schema={inner} />
      </Stack>
    </Fieldset>
  );
}

function ListField(props: FieldProps): ReactElement {
  const { t } = useTranslation("schema");
  const { label } = useWords(props.name, props.schema);
  const items: unknown[] = Array.isArray(props.value) ? props.value : [];
  const item = resolve(props.schema.items ?? {}, props.root);
  return (
    <Fieldset legend={label}>
      <Stack gap="sm">
        {items.map((value, index) => (
          <Group key={index} align="flex-start" wrap="nowrap" gap="xs">
            <div className="grow">
              <AtField step={String(index + 1)}>
                <SchemaField
                  name={`${props.name} ${index + 1}`}
                  schema={item}
                  root={props.root}
                  value={value}
                  isRequired
                  onChange={(next) => props.onChange(items.map((old, at) => (at === index ? next : old)))}
                />
              </AtField>
            </div>
            <Button
              variant="subtle"
              color="red"
              aria-label={t("removeItem", { name: `${props.name} ${index + 1}` })}
              onClick={() => props.onChange(items.filter((_, at) => at !== index))}
            >
              {t("remove")}
            </Button>
          </Group>
        ))}
        <Group>
          <Button
            size="xs"
            variant="default"
            onClick={() => props.onChange([...items, initial(item, props.root) ?? ""])}
          >
            {t("add")}
          </Button>
        </Group>
      </Stack>
    </Fieldset>
  );
}

function MapField(props: FieldProps): ReactElement {
  const { t } = useTranslation("schema");
  const { label } = useWords(props.name, props.schema);
  const [name, setName] = useState("");
  const tree: Tree = isTree(props.value) ? props.value : {};
  const entry = isTree(props.schema.additionalProperties)
    ? resolve(props.schema.additionalProperties as Schema, props.root)
    : {};
  return (
    <Fieldset legend={label}>
      <Stack gap="sm">
        {Object.entries(tree).map(([key, value]) => (
          <Group key={key} align="flex-end" wrap="nowrap" gap="xs">
            <div className="grow">
              <AtField step={key}>
                <SchemaField
                  name={key}
                  schema={entry}
                  root={props.root}
                  value={value}
                  isRequired={false}
                  onChange={(next) => props.onChange(put(tree, key, next ?? ""))}
                />
              </AtField>
            </div>
            <Button
              variant="subtle"
              color="red"
              aria-label={t("removeItem", { name: key })}
              onClick={() => props.onChange(put(tree, key, undefined))}
            >
              {t("remove")}
            </Button>
          </Group>
        ))}
        <Group align="flex-end" gap="xs">
          <TextInput
            label={t("newName")}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Button
            variant="default"
            disabled={name === "" || name in tree}
            onClick={() => {
              props.onChange(put(tree, name, initial(entry, props.root) ?? ""));
              setName("");
            }}
          >
            {t("add")}
          </Button>
        </Group>
      </Stack>
    </Fieldset>
  );
}

function AnyField(props: FieldProps & { label: string; description: string | undefined }): ReactElement {
  const { t } = useTranslation("schema");
  const [text, setText] = useState(
    props.value === undefined ? "" : JSON.stringify(props.value, null, 2),
  );
  const field = useRef<HTMLTextAreaElement>(null);
  const isWhole = text.trim() === "" || isJson(text);
  // The value is still the one before: the form must not send it as if it were this.
  useEffect(() => field.current?.setCustomValidity(isWhole ? "" : t("notJson")), [isWhole, t]);
  return (
    <JsonInput
      ref={field}
      label={props.label}
      description={props.description}
      value={text}
      autosize
      minRows={2}
      maxRows={16}
      formatOnBlur
      validationError={t("notJson")}
      onChange={(next) => {
        setText(next);
        if (next.trim() === "") props.onChange(undefined);
        else
          try {
            props.onChange(JSON.parse(next));
          } catch {
            // half typed: the field says so itself, the value stays as it was
          }
      }}
    />
  );
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
