import { TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { FormDialog } from "@/components/FormDialog";
import { call } from "@edge/api/client";
import type { Tag } from "@edge/api/shapes";

import { typedValue } from "./value";

interface WriteDialogProps {
  node: string;
  group: string;
  tag: Tag;
  onClose: () => void;
}

export function WriteDialog({ node, group, tag, onClose }: WriteDialogProps): ReactElement {
  const { t } = useTranslation("monitoring");
  const [text, setText] = useState("");
  return (
    <FormDialog
      title={t("writeOne", { name: tag.name })}
      submit={t("write")}
      done={t("written")}
      refresh={[]}
      onSubmit={() =>
        // What is none of its type goes as it was typed: the answer says what is wrong.
        call("post", "/neuron/write", {
          body: { node, group, tag: tag.name, value: typedValue(text, tag.type) ?? text },
        })
      }
      onClose={onClose}
    >
      <TextInput
        label={t("value")}
        description={t("valueHelp")}
        data-autofocus
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
    </FormDialog>
  );
}
