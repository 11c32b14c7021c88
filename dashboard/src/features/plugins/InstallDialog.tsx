import { FileInput, Text } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { useGet } from "@/api/hooks";
import { FormDialog } from "@/components/FormDialog";

/** An archive from this browser; the node takes only what somebody on its machine allowed. */
export function InstallDialog({ onClose }: { onClose: () => void }): ReactElement {
  const { t } = useTranslation("plugins");
  const [file, setFile] = useState<File | null>(null);
  const allowed = useGet("/plugins/allowed");
  const names = allowed.data?.map((each) => each.name).join(", ");
  const send = () => {
    const form = new FormData();
    if (file !== null) form.set("plugin", file);
    return call("post", "/plugins/install", { body: form, as: "form" });
  };
  return (
    <FormDialog
      title={t("install.title")}
      submit={t("install.action")}
      done={t("installed")}
      refresh={["/plugins"]}
      onSubmit={send}
      onClose={onClose}
    >
      <FileInput
        label={t("install.file")}
        description={t("install.fileHelp")}
        placeholder={t("install.choose")}
        accept=".gz,.tgz"
        required
        value={file}
        onChange={setFile}
      />
      <Text size="sm" c="dimmed">
        {t("install.allowHelp")}
      </Text>
      {names !== undefined && (
        <Text size="sm" c="dimmed" className="wrap">
          {names === "" ? t("install.none") : t("install.allowed", { names })}
        </Text>
      )}
    </FormDialog>
  );
}
