/** The settings of a type, drawn from its schema; what is seldom changed is folded away. */
import { Accordion } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { SchemaForm } from "@/components/SchemaForm";
import { isTree, type Tree } from "@/lib/changes";
import type { Schema } from "@/lib/schema";

const SELDOM = ["resource_opts", "fallback_actions", "tags"];

interface SettingsFieldsProps {
  schema: Schema;
  value: Tree;
  onChange: (value: Tree) => void;
  /** Keys that the caller draws itself. */
  hidden?: readonly string[];
}

export function SettingsFields(props: SettingsFieldsProps): ReactElement {
  const { t } = useTranslation("integration");
  const names = Object.keys(props.schema.properties ?? {});
  const own = props.hidden ?? [];
  const seldom = names.filter((name) => SELDOM.includes(name) && !own.includes(name));
  const part = (hidden: readonly string[]) => (
    <SchemaForm
      schema={props.schema}
      value={props.value}
      hidden={hidden}
      onChange={(next) => props.onChange(isTree(next) ? next : {})}
    />
  );
  return (
    <>
      {part([...own, ...SELDOM])}
      {seldom.length > 0 && (
        <Accordion variant="contained">
          <Accordion.Item value="seldom">
            <Accordion.Control>{t("advanced")}</Accordion.Control>
            <Accordion.Panel>{part(names.filter((name) => !seldom.includes(name)))}</Accordion.Panel>
          </Accordion.Item>
        </Accordion>
      )}
    </>
  );
}
