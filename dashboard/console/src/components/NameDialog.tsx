/** A form that asks for a name only: of an organization, of a project. */
import { TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { FormDialog } from "@/components/FormDialog";

// As in the control plane's document.
const NAME_MAX = 200;

interface NameDialogProps {
  title: string;
  /** The name it has; empty makes a new one. */
  name?: string;
  refresh: readonly string[];
  onSubmit: (name: string) => Promise<unknown>;
  onClose: () => void;
  /** Further fields, above the name. */
  children?: ReactNode;
}

export function NameDialog(props: NameDialogProps): ReactElement {
  const { t } = useTranslation();
  const [name, setName] = useState(props.name ?? "");
  const isNew = props.name === undefined;
  return (
    <FormDialog
      title={props.title}
      submit={isNew ? t("create") : t("save")}
      done={isNew ? t("created") : t("saved")}
      refresh={props.refresh}
      onSubmit={() => props.onSubmit(name.trim())}
      onClose={props.onClose}
    >
      {props.children}
      <TextInput
        label={t("field.name")}
        required
        maxLength={NAME_MAX}
        data-autofocus
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
    </FormDialog>
  );
}
